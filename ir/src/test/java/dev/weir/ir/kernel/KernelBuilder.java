package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Broadcast;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Expression.Real;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Puts kernels for tests together; blocks are lambdas that add statements. */
final class KernelBuilder {

    final Variable tile = new Variable("tile", Type.I64);
    private final String name;
    private final List<Buffer> buffers = new ArrayList<>();
    private final List<Variable> scalars = new ArrayList<>();
    private final List<Kernel.Scratch> scratch = new ArrayList<>();
    private List<Statement> block = new ArrayList<>();
    private int next;

    KernelBuilder(String name) {
        this.name = name;
    }

    Kernel build() {
        return new Kernel(name, buffers, scalars, scratch, tile, block);
    }

    Buffer buffer(String name, Format format) {
        Buffer buffer = new Buffer(name, format);
        buffers.add(buffer);
        return buffer;
    }

    Get scalar(String name) {
        Variable variable = new Variable(name, Type.I64);
        scalars.add(variable);
        return new Get(variable);
    }

    Buffer scratch(String name, Format format, long elements) {
        Buffer buffer = new Buffer(name, format);
        scratch.add(new Kernel.Scratch(buffer, elements));
        return buffer;
    }

    Get tile() {
        return new Get(tile);
    }

    void add(Statement statement) {
        block.add(statement);
    }

    Get let(Expression value) {
        return declare(value, false);
    }

    Get var(Expression value) {
        return declare(value, true);
    }

    private Get declare(Expression value, boolean mutable) {
        Variable variable = new Variable("v" + next++, value.type());
        add(new Declare(variable, value, mutable));
        return new Get(variable);
    }

    void assign(Get variable, Expression value) {
        add(new Assign(variable.variable(), value));
    }

    Buffer bind(Format format, Buffer table, Expression index) {
        Buffer buffer = new Buffer("bound" + next++, format);
        add(new Bind(buffer, table, index));
        return buffer;
    }

    void store(Buffer buffer, Expression index, Expression value) {
        add(new Store(buffer, index, value, Optional.empty()));
    }

    void store(Buffer buffer, Expression index, Expression value, Expression active) {
        add(new Store(buffer, index, value, Optional.of(active)));
    }

    void loop(Expression from, Expression to, long step, Consumer<Get> body) {
        Variable index = new Variable("i" + next++, Type.I64);
        add(new For(index, from, to, step, block(() -> body.accept(new Get(index)))));
    }

    void branch(Expression condition, Runnable then, Runnable otherwise) {
        add(new If(condition, block(then), block(otherwise)));
    }

    void fault(int code, Expression value, Expression limit) {
        add(new Statement.Fault(code, value, limit));
    }

    private List<Statement> block(Runnable body) {
        List<Statement> outer = block;
        block = new ArrayList<>();
        body.run();
        List<Statement> inner = block;
        block = outer;
        return inner;
    }

    static Expression whole(long value) {
        return new Whole(Type.I64, value);
    }

    static Expression real(double value) {
        return new Real(Type.F32, value);
    }

    static Expression spread(Expression value, int lanes) {
        return lanes == 1 ? value : new Broadcast(value, lanes);
    }

    static Expression load(Buffer buffer, Expression index, int lanes) {
        return new Load(buffer, index, lanes, Optional.empty());
    }

    static Expression load(Buffer buffer, Expression index, int lanes, Expression active) {
        return new Load(buffer, index, lanes, Optional.of(active));
    }

    static Expression add(Expression left, Expression right) {
        return new Binary(BinaryOperation.ADD, left, right);
    }

    static Expression multiply(Expression left, Expression right) {
        return new Binary(BinaryOperation.MULTIPLY, left, right);
    }

    static Expression binary(BinaryOperation operation, Expression left, Expression right) {
        return new Binary(operation, left, right);
    }
}
