package dev.weir.ir.kernel;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Reader;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.text.Tokens;
import dev.weir.ir.text.Tokens.Kind;
import dev.weir.ir.text.Tokens.Token;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what {@link KernelProgramPrinter} writes. The program that comes back has no stories, and
 * does not say what its launches do.
 * Comments from {@code //} to the end of the line may stand anywhere.
 */
public final class KernelProgramParser {
    private final Tokens tokens;
    private final Reader read;
    private final Map<String, Kernel> kernels = new HashMap<>();

    private KernelProgramParser(Source source) {
        this.tokens = new Tokens(source);
        this.read = new Reader(tokens);
    }

    /**
     * Reads one program.
     *
     * @throws dev.weir.ir.diagnostic.WeirException if the text is not one
     */
    public static KernelProgram parse(Source source) {
        KernelProgramParser parser = new KernelProgramParser(source);
        KernelProgram program = parser.program();
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.expected("the end");
        }
        return program;
    }

    private KernelProgram program() {
        tokens.expect("kernel_program");
        String name = tokens.quoted();
        tokens.expect("entry");
        String entry = tokens.quoted();
        Optional<StreamAxis> stream = read.stream();
        tokens.expect("results");
        List<String> resultNames = read.list("(", ")", tokens::quoted);
        tokens.expect("frames");
        TensorProgram.Frames frames = new TensorProgram.Frames(
                read.symbol(), read.symbol(), read.define(), read.define());
        List<Parameter> parameters = new ArrayList<>();
        while (tokens.accept("parameter")) {
            parameters.add(read.parameter());
        }
        List<State> states = new ArrayList<>();
        while (tokens.accept("state")) {
            states.add(read.state());
        }
        tokens.expect("arguments");
        List<Value> arguments = read.definitions();
        List<String> checks = new ArrayList<>();
        while (tokens.accept("check")) {
            checks.add(tokens.quoted());
        }
        List<Kernel> all = new ArrayList<>();
        while (tokens.at("kernel")) {
            Kernel kernel = KernelParser.next(tokens);
            all.add(kernel);
            kernels.put(kernel.name(), kernel);
        }
        tokens.expect("initialise");
        List<HostStatement> initialise = block();
        tokens.expect("step");
        tokens.expect("{");
        List<HostStatement> step = new ArrayList<>();
        while (!tokens.accept("yield")) {
            step.add(statement());
        }
        List<Value> results = read.uses();
        tokens.expect("}");
        return new KernelProgram(name, entry, parameters, states, stream, frames, arguments,
                results, resultNames, all, initialise, step, checks, List.of(), Map.of());
    }

    private List<HostStatement> block() {
        return read.deeper(() -> {
            tokens.expect("{");
            List<HostStatement> statements = new ArrayList<>();
            while (!tokens.accept("}")) {
                statements.add(statement());
            }
            return statements;
        });
    }

    private HostStatement statement() {
        Token word = tokens.take(Kind.WORD, "a statement");
        return switch (word.text()) {
            case "allocate" -> new HostStatement.Allocate(read.define());
            case "release" -> new HostStatement.Release(read.use());
            case "alias" -> {
                Value target = read.signature();
                tokens.expect("=");
                Value source = read.use();
                read.know(target);
                yield new HostStatement.Alias(target, source);
            }
            case "own" -> {
                Value target = read.signature();
                tokens.expect("=");
                Value source = read.use();
                read.know(target);
                yield new HostStatement.Own(target, source, tokens.accept("last"));
            }
            case "launch" -> launch();
            case "size" -> {
                Size.Symbol size = read.symbol();
                tokens.expect("=");
                yield new HostStatement.SetSize(size, read.scalar());
            }
            case "largest" -> {
                Size.Symbol size = read.symbol();
                tokens.expect("=");
                yield new HostStatement.SetSizeToLargest(size, read.use());
            }
            case "let" -> {
                Value variable = read.signature();
                tokens.expect("=");
                Scalar value = read.scalar();
                read.know(variable);
                yield new HostStatement.SetScalar(variable, value);
            }
            case "if" -> {
                Scalar condition = read.scalar();
                List<HostStatement> then = block();
                tokens.expect("else");
                yield new HostStatement.If(condition, then, block());
            }
            case "loop" -> loop();
            case "reserve" -> {
                Value state = read.use();
                List<Scalar> instances = read.scalars();
                tokens.expect("by");
                yield new HostStatement.Reserve(state, instances, read.use());
            }
            case "extend" -> {
                Value state = read.use();
                List<Scalar> instances = read.scalars();
                tokens.expect("by");
                yield new HostStatement.Extend(state, instances, read.use());
            }
            case "advance" -> {
                Value state = read.use();
                List<Scalar> instances = read.scalars();
                tokens.expect("by");
                yield new HostStatement.Advance(state, instances, read.use());
            }
            case "trace" ->
                    new HostStatement.Trace(tokens.quoted(), read.scalars(), read.use());
            case "tally" -> tally();
            case String other -> throw Tokens.error(
                    word.span(), "there is no statement '" + other + "'");
        };
    }

    private HostStatement launch() {
        Token name = tokens.take(Kind.QUOTED, "a kernel's name");
        Kernel kernel = kernels.get(name.text());
        if (kernel == null) {
            throw Tokens.error(name.span(), "there is no kernel \"" + name.text() + "\" before");
        }
        tokens.expect("tiles");
        Scalar tiles = read.scalar();
        List<HostStatement.Operand> buffers = read.list("(", ")", this::operand);
        List<Scalar> scalars = read.scalars();
        if (buffers.size() != kernel.buffers().size()
                || scalars.size() != kernel.scalars().size()) {
            throw Tokens.error(name.span(), "the kernel takes " + kernel.buffers().size()
                    + " buffers and " + kernel.scalars().size() + " scalars, here are "
                    + buffers.size() + " and " + scalars.size());
        }
        tokens.expect("weights");
        List<HostStatement.WeightUse> weights = read.list("(", ")", () -> {
            Value parameter = read.use();
            long bytes = tokens.integer();
            return new HostStatement.WeightUse(parameter, bytes,
                    tokens.accept("groups") ? Optional.of(read.use()) : Optional.empty(),
                    tokens.accept("from") ? Optional.of(part()) : Optional.empty(),
                    tokens.accept("picked") ? Optional.of(picked()) : Optional.empty());
        });
        return new HostStatement.Launch(name.text(), buffers, scalars, tiles, weights);
    }

    private HostStatement.Picked picked() {
        Scalar count = read.scalar();
        tokens.expect("most");
        return new HostStatement.Picked(count, tokens.integer());
    }

    private HostStatement.Part part() {
        Scalar first = read.scalar();
        tokens.expect("count");
        return new HostStatement.Part(first, read.scalar());
    }

    private HostStatement.Operand operand() {
        if (tokens.accept("parameter")) {
            return new HostStatement.Operand.ParameterTable(read.use());
        }
        if (tokens.accept("state")) {
            return new HostStatement.Operand.StateTable(read.use());
        }
        return new HostStatement.Operand.Tensor(read.use());
    }

    private HostStatement loop() {
        Value index = read.define();
        tokens.expect("from");
        Scalar from = read.scalar();
        tokens.expect("to");
        Scalar to = read.scalar();
        Optional<Value> active =
                tokens.accept("active") ? Optional.of(read.use()) : Optional.empty();
        return new HostStatement.Loop(index, from, to, active, block());
    }

    private HostStatement tally() {
        String path = tokens.quoted();
        List<Scalar> instances = read.scalars();
        Token word = tokens.take(Kind.WORD, "what is counted");
        for (Node.TallyKind kind : Node.TallyKind.values()) {
            if (kind.name().toLowerCase(Locale.ROOT).equals(word.text())) {
                List<Scalar> amounts = read.scalars();
                return new HostStatement.Tally(path, instances, kind, amounts,
                        tokens.accept("offsets") ? Optional.of(read.use()) : Optional.empty());
            }
        }
        throw Tokens.error(word.span(), "there is no tally '" + word.text() + "'");
    }
}
