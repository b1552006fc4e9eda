package dev.weir.bench.row;

import dev.weir.bench.peer.Peer;
import java.util.List;

/** One row of the table of aims: some problems that belong together. */
public interface Row {

    /** The name by which it is asked for. */
    String name();

    /** What it measures, in one line. */
    String meaning();

    /** Who else does the work. */
    List<Peer> peers();

    /** Measures all its problems and hands the results to the laboratory. */
    void run(Laboratory laboratory);
}
