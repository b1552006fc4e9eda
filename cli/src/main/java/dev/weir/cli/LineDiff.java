package dev.weir.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What differs between two texts, line by line: lines that occur once in each are taken to be the
 * same as long as their order allows (the patience diff of Bram Cohen), and so again between them.
 */
public final class LineDiff {
    /** Pieces without a line of their own are compared in full up to so many pairs of lines. */
    private static final long MOST_PAIRS = 1_000_000;

    /** What happened to a line. */
    public enum Kind { KEPT, REMOVED, ADDED }

    /** One line of either text. */
    public record Edit(Kind kind, String line) {}

    private final List<String> before;
    private final List<String> after;
    private final List<Edit> edits = new ArrayList<>();

    private LineDiff(List<String> before, List<String> after) {
        this.before = before;
        this.after = after;
    }

    /** All lines of both texts, in order; of a place that changed the removed ones first. */
    public static List<Edit> of(List<String> before, List<String> after) {
        LineDiff diff = new LineDiff(before, after);
        diff.compare(0, before.size(), 0, after.size());
        return diff.edits;
    }

    /** The lines that changed with so many kept ones around them, as {@code diff -u} shows them. */
    public static String unified(List<String> before, List<String> after, int around) {
        List<Edit> edits = of(before, after);
        StringBuilder text = new StringBuilder();
        int left = 1;
        int right = 1;
        int shown = 0;
        for (int i = 0; i < edits.size(); i++) {
            Edit edit = edits.get(i);
            if (isNearChange(edits, i, around)) {
                if (shown < i || i == 0) {
                    text.append("@@ -").append(left).append(" +").append(right).append(" @@\n");
                }
                text.append(switch (edit.kind) {
                    case KEPT -> ' ';
                    case REMOVED -> '-';
                    case ADDED -> '+';
                }).append(edit.line).append('\n');
                shown = i + 1;
            }
            left += edit.kind == Kind.ADDED ? 0 : 1;
            right += edit.kind == Kind.REMOVED ? 0 : 1;
        }
        return text.toString();
    }

    private static boolean isNearChange(List<Edit> edits, int place, int around) {
        int from = Math.max(0, place - around);
        int to = Math.min(edits.size(), place + around + 1);
        return edits.subList(from, to).stream().anyMatch(e -> e.kind != Kind.KEPT);
    }

    private void compare(int left, int leftEnd, int right, int rightEnd) {
        int from = left;
        int to = right;
        while (from < leftEnd && to < rightEnd && before.get(from).equals(after.get(to))) {
            add(Kind.KEPT, before.get(from));
            from++;
            to++;
        }
        int same = 0;
        while (leftEnd - same > from && rightEnd - same > to
                && before.get(leftEnd - same - 1).equals(after.get(rightEnd - same - 1))) {
            same++;
        }
        between(from, leftEnd - same, to, rightEnd - same);
        for (int i = leftEnd - same; i < leftEnd; i++) {
            add(Kind.KEPT, before.get(i));
        }
    }

    private void between(int left, int leftEnd, int right, int rightEnd) {
        List<int[]> anchors = anchors(left, leftEnd, right, rightEnd);
        if (anchors.isEmpty()) {
            inFull(left, leftEnd, right, rightEnd);
            return;
        }
        int from = left;
        int to = right;
        for (int[] anchor : anchors) {
            compare(from, anchor[0], to, anchor[1]);
            add(Kind.KEPT, before.get(anchor[0]));
            from = anchor[0] + 1;
            to = anchor[1] + 1;
        }
        compare(from, leftEnd, to, rightEnd);
    }

    /** Places of lines that occur once on each side: the longest sequence in the order of both. */
    private List<int[]> anchors(int left, int leftEnd, int right, int rightEnd) {
        Map<String, int[]> once = new HashMap<>();
        for (int i = left; i < leftEnd; i++) {
            int[] count = once.computeIfAbsent(before.get(i), line -> new int[4]);
            count[0]++;
            count[2] = i;
        }
        for (int i = right; i < rightEnd; i++) {
            int[] count = once.computeIfAbsent(after.get(i), line -> new int[4]);
            count[1]++;
            count[3] = i;
        }
        // Piles of patience sorting: of each length the sequence that ends first on the right.
        List<int[]> tops = new ArrayList<>();
        Map<int[], int[]> previous = new HashMap<>();
        for (int i = left; i < leftEnd; i++) {
            int[] count = once.get(before.get(i));
            if (count[0] != 1 || count[1] != 1) {
                continue;
            }
            int[] pair = {count[2], count[3]};
            int pile = 0;
            int end = tops.size();
            while (pile < end) {
                int middle = (pile + end) >>> 1;
                if (tops.get(middle)[1] < pair[1]) {
                    pile = middle + 1;
                } else {
                    end = middle;
                }
            }
            if (pile > 0) {
                previous.put(pair, tops.get(pile - 1));
            }
            if (pile == tops.size()) {
                tops.add(pair);
            } else {
                tops.set(pile, pair);
            }
        }
        List<int[]> longest = new ArrayList<>();
        for (int[] pair = tops.isEmpty() ? null : tops.getLast();
                pair != null; pair = previous.get(pair)) {
            longest.addFirst(pair);
        }
        return longest;
    }

    /** The longest common sequence of lines that all occur more than once. */
    private void inFull(int left, int leftEnd, int right, int rightEnd) {
        int rows = leftEnd - left;
        int columns = rightEnd - right;
        boolean small = (long) rows * columns <= MOST_PAIRS;
        int[][] longest = new int[small ? rows + 1 : 0][columns + 1];
        for (int i = rows - 1; small && i >= 0; i--) {
            for (int j = columns - 1; j >= 0; j--) {
                longest[i][j] = before.get(left + i).equals(after.get(right + j))
                        ? longest[i + 1][j + 1] + 1
                        : Math.max(longest[i + 1][j], longest[i][j + 1]);
            }
        }
        int i = 0;
        int j = 0;
        while (i < rows || j < columns) {
            if (small && i < rows && j < columns
                    && before.get(left + i).equals(after.get(right + j))) {
                add(Kind.KEPT, before.get(left + i));
                i++;
                j++;
            } else if (i < rows && (j == columns || !small
                    || longest[i + 1][j] >= longest[i][j + 1])) {
                add(Kind.REMOVED, before.get(left + i++));
            } else {
                add(Kind.ADDED, after.get(right + j++));
            }
        }
    }

    private void add(Kind kind, String line) {
        edits.add(new Edit(kind, line));
    }
}
