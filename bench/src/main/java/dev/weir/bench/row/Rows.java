package dev.weir.bench.row;

import java.util.List;

/** All rows of the table, in its order. */
public final class Rows {
    /** In the order in which they are measured. */
    public static final List<Row> ALL = List.of(
            new ContractionRow(), new SwiGluRow(), new ExpertsRow(), new MatvecRow(),
            new ConvolutionRow(), new AttentionRow(), new MasksRow(), new ModelsRow(),
            new ExitRow(), new ThreadsRow(), new ChecksRow(), new VectorsRow(),
            new ScalingRow(), new CompileRow(), new MemoryRow());

    private Rows() {}
}
