package dev.weir.bench.row;

/**
 * Which keys the queries of attention see.
 *
 * @param condition as a program states it behind its softmax, of t, s and the documents of both;
 *     empty if all are seen
 * @param visible the same in Java
 */
record AttentionMask(String name, String condition, Visible visible) {
    /** Keys of a tile. */
    private static final int TILE = 64;

    /** Whether a query sees a key, of tokens that belong to documents. */
    interface Visible {
        boolean sees(int t, int s, int[] document);
    }

    /** Tiles of a single query in which anything is visible, as a share of all. */
    double shareOfTiles(int[] document) {
        int side = document.length / TILE;
        long open = 0;
        for (int t = 0; t < document.length; t++) {
            for (int tile = 0; tile < side; tile++) {
                open += isOpen(t, tile * TILE, document) ? 1 : 0;
            }
        }
        return (double) open / ((long) side * document.length);
    }

    private boolean isOpen(int t, int first, int[] document) {
        for (int s = first; s < first + TILE; s++) {
            if (visible.sees(t, s, document)) {
                return true;
            }
        }
        return false;
    }

    /** Pairs of tokens that see each other. */
    long pairs(int[] document) {
        long pairs = 0;
        for (int t = 0; t < document.length; t++) {
            for (int s = 0; s < document.length; s++) {
                pairs += visible.sees(t, s, document) ? 1 : 0;
            }
        }
        return pairs;
    }
}
