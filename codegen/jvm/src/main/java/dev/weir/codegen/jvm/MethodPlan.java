package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which runs of statements become methods of their own.
 *
 * <p>HotSpot does not compile a method of more than 8000 bytes, so that large ones are split. A body
 * of a loop that loops itself becomes a method in any case where nothing else speaks against it: a
 * method that is entered anew is compiled as a whole, where one long activation is left with the
 * code that replaces it on the stack, in which vectors that live across the entry are boxed.
 */
final class MethodPlan {

    /** A little below HotSpot's {@code HugeMethodLimit} of 8000. */
    static final int LIMIT = 7900;

    /** Arguments take at most 255 slots; some are needed for addresses. */
    private static final int SLOTS = 240;

    /** Nothing smaller is worth a call. */
    private static final int LEAST = 64;

    private final Kernel kernel;
    private final Set<Region> regions = new LinkedHashSet<>();

    MethodPlan(Kernel kernel) {
        this.kernel = kernel;
        outlineNests(kernel.body());
    }

    private void outlineNests(List<Statement> list) {
        for (Statement statement : list) {
            if (statement instanceof For f) {
                Usage usage = Usage.of(f.body());
                if (usage.loops && usage.isClosed() && vectors(captured(usage)) == 0
                        && slots(usage) <= SLOTS) {
                    regions.add(Region.whole(f.body()));
                }
            }
            nested(statement).forEach(this::outlineNests);
        }
    }

    boolean isPlanned(Region region) {
        return regions.contains(region);
    }

    /** The largest planned run that starts there and is not the whole of {@code within}. */
    Optional<Region> startingAt(Region within, int position) {
        Region best = null;
        for (Region region : regions) {
            if (region.list() == within.list() && region.from() == position
                    && region.to() <= within.to() && !region.equals(within)
                    && (best == null || region.length() > best.length())) {
                best = region;
            }
        }
        return Optional.ofNullable(best);
    }

    /** What a run needs from around it, apart from what the argument words give. */
    List<Variable> captured(Usage usage) {
        Set<Variable> free = usage.freeVariables();
        kernel.scalars().forEach(free::remove);
        return List.copyOf(free);
    }

    private static long vectors(List<Variable> variables) {
        return variables.stream().filter(v -> !v.type().isScalar()).count();
    }

    private int slots(Usage usage) {
        return captured(usage).stream().mapToInt(v -> JvmTypes.slots(v.type())).sum()
                + 2 * usage.freeBuffers().size();
    }

    /**
     * Takes another run out of a method that is too large.
     *
     * @param sizes bytes of code of each statement
     * @return false if there is none to take out
     */
    boolean split(Region method, int size, Map<Statement, Integer> sizes) {
        List<Candidate> candidates = new ArrayList<>();
        collect(method, method, size, sizes, candidates);
        Optional<Candidate> best = candidates.stream().max(Candidate.PREFERENCE);
        best.ifPresent(c -> regions.add(c.region));
        return best.isPresent();
    }

    private record Candidate(Region region, int bytes, long vectors) {

        /** Small enough first, without boxed vectors, then what takes away the most. */
        static final Comparator<Candidate> PREFERENCE = Comparator
                .comparing((Candidate c) -> c.bytes <= LIMIT)
                .thenComparing(c -> c.vectors == 0)
                .thenComparing(c -> c.bytes <= LIMIT ? c.bytes - 200 * c.vectors : -c.bytes);
    }

    private void collect(
            Region method,
            Region region,
            int size,
            Map<Statement, Integer> sizes,
            List<Candidate> candidates) {
        for (int i = region.from(); i < region.to(); i++) {
            Optional<Region> planned = startingAt(region.equals(method) ? method : region, i);
            if (planned.isPresent()) {
                i = planned.get().to() - 1;
                continue;
            }
            for (List<Statement> list : nested(region.list().get(i))) {
                if (!regions.contains(Region.whole(list))) {
                    collect(method, Region.whole(list), size, sizes, candidates);
                }
            }
            runs(method, region, i, size, sizes, candidates);
        }
    }

    /** The runs that begin at a statement. */
    private void runs(
            Region method,
            Region region,
            int from,
            int size,
            Map<Statement, Integer> sizes,
            List<Candidate> candidates) {
        int bytes = 0;
        for (int to = from + 1; to <= region.to(); to++) {
            bytes += sizes.getOrDefault(region.list().get(to - 1), 0);
            Region run = new Region(region.list(), from, to);
            if (bytes < LEAST || run.equals(method) || regions.contains(run)
                    || bytes > LIMIT && bytes > size * 9 / 10) {
                continue;
            }
            // Runs of whole statements that are cut later cost little to try; of the many runs in
            // a long list, those that grow by a tenth each are enough.
            boolean last = to == region.to()
                    || bytes + sizes.getOrDefault(region.list().get(to), 0) > LIMIT;
            if (!last && to - from > 8 && (to - from) % 8 != 0) {
                continue;
            }
            if (crosses(run)) {
                continue;
            }
            Usage usage = Usage.of(run.statements());
            if (usage.isClosed() && !usedBehind(run, usage) && slots(usage) <= SLOTS) {
                candidates.add(new Candidate(run, bytes, vectors(captured(usage))));
            }
            if (bytes > LIMIT) {
                break;
            }
        }
    }

    /** Whether a planned run overlaps without being inside or around. */
    private boolean crosses(Region run) {
        return regions.stream().anyMatch(r -> r.list() == run.list()
                && r.from() < run.to() && run.from() < r.to()
                && !(r.from() >= run.from() && r.to() <= run.to())
                && !(run.from() >= r.from() && run.to() <= r.to()));
    }

    private static boolean usedBehind(Region run, Usage usage) {
        Usage behind = Usage.of(run.list().subList(run.to(), run.list().size()));
        Set<Object> introduced = new HashSet<>(usage.declared);
        introduced.addAll(usage.bound);
        return behind.freeVariables().stream().anyMatch(introduced::contains)
                || behind.freeBuffers().stream().anyMatch(introduced::contains);
    }

    private static List<List<Statement>> nested(Statement statement) {
        return switch (statement) {
            case For f -> List.of(f.body());
            case If i -> List.of(i.then(), i.otherwise());
            case Declare d -> List.of();
            case Assign a -> List.of();
            case Store s -> List.of();
            case Bind b -> List.of();
            case Fault f -> List.of();
        };
    }

    static String signature(List<Variable> variables, int addresses) {
        StringBuilder text = new StringBuilder("(JJ");
        variables.forEach(v -> text.append(JvmTypes.descriptor(v.type())));
        text.append(JvmTypes.descriptor(Type.I64).repeat(addresses));
        return text.append(')').toString();
    }
}
