package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which runs of statements become methods of their own.
 *
 * <p>HotSpot does not compile a method of more than 8000 bytes, so that large ones are split. A
 * body of a loop that loops itself becomes a method in any case where nothing else speaks against
 * it: a method that is entered anew is compiled as a whole, where one long activation is left with
 * the code that replaces it on the stack, in which vectors that live across the entry are boxed.
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
     * Takes runs out of a method that is too large, as many as it needs.
     *
     * @param sizes bytes of code of each statement
     * @return false if there is none to take out
     */
    boolean split(Region method, int size, Map<Statement, Integer> sizes) {
        List<Candidate> candidates = new ArrayList<>();
        collect(method, method, size, sizes, candidates);
        candidates.sort(Candidate.PREFERENCE.reversed());
        if (candidates.isEmpty()) {
            return false;
        }
        Region best = candidates.getFirst().region;
        int rest = size;
        for (Candidate candidate : candidates) {
            // Others of the same list do not change what was found out about this one.
            if (rest > LIMIT && candidate.region.list() == best.list()
                    && candidate.vectors == candidates.getFirst().vectors
                    && regions.stream().noneMatch(r -> r.overlaps(candidate.region))) {
                regions.add(candidate.region);
                rest -= candidate.bytes;
            }
        }
        if (rest == size) {
            regions.add(best);
        }
        return true;
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
        ListUsage usage = new ListUsage(region.list(), kernel);
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
            runs(method, region, i, size, sizes, usage, candidates);
        }
    }

    /** The runs that begin at a statement, each grown from the one before. */
    private void runs(
            Region method,
            Region region,
            int from,
            int size,
            Map<Statement, Integer> sizes,
            ListUsage list,
            List<Candidate> candidates) {
        ListUsage.Run run = list.runFrom(from);
        int bytes = 0;
        for (int to = from + 1; to <= region.to() && bytes <= LIMIT; to++) {
            bytes += sizes.getOrDefault(region.list().get(to - 1), 0);
            if (!run.grow()) {
                return;
            }
            Region cut = new Region(region.list(), from, to);
            boolean useful = bytes >= LEAST && !cut.equals(method) && !regions.contains(cut)
                    && (bytes <= LIMIT || bytes <= size * 9 / 10);
            if (useful && run.isClosed() && run.slots() <= SLOTS && !crosses(cut)) {
                candidates.add(new Candidate(cut, bytes, run.vectors()));
            }
        }
    }

    /** Whether a planned run overlaps without being inside or around. */
    private boolean crosses(Region run) {
        for (Region region : regions) {
            if (region.overlaps(run) && !region.contains(run) && !run.contains(region)) {
                return true;
            }
        }
        return false;
    }

    private static List<List<Statement>> nested(Statement statement) {
        return switch (statement) {
            case For f -> List.of(f.body());
            case If i -> List.of(i.then(), i.otherwise());
            case Declare d -> List.of();
            case Assign a -> List.of();
            case Store s -> List.of();
            case Prefetch p -> List.of();
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
