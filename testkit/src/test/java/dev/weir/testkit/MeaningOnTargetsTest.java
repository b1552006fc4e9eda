package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One small program a construct, compiled and interpreted, over awkward sizes and ragged batches. */
class MeaningOnTargetsTest {
    private static final int[] STREAMS = {1, 2, 15, 16, 17, 67};

    /** The width of the rows of `x` is D. */
    enum Program {
        BRANCH("if x[0] > 0.0 { y = 10.0 * x } else { y = -x }", true),
        BRANCH_WITHOUT_ELSE("y = x\nif x[0] > 0.3 { y = exp(x) * x[1] }", true),
        LOOP_WITH_EXIT("""
                y = x
                for i in 0..5 {
                    y = 1.5 * y + 0.25
                    if y[0] > 1.0 { break }
                    y = y - 0.125
                }
                """, true),
        SORTED("""
                order = argsort(x)
                up = sort(x)
                values, places = top(2, 3.0 * x)
                y[d] = up[d] + 2.0 * x[order[d]] + float(order[D - 1 - d])
                y[places[i]] += values[i]
                """, true),
        SORTED_ROWS("""
                up = sort(x)
                values, places = top(1, x)
                y[t, d] = up[t, d] * values[t, 0] + x[t, places[t, 0]]
                """, false),
        REMAINDERS("""
                y[t, d] = x[t, T % D] + x[t * 7 % T, d] * (sum[i in 0..T % D] x[t, i])
                    + x[0, (T + t) % D]
                """, false),
        WHOLE_DISTANCES("""
                y[t, d] = x[abs(t - 3) % T, d] + float(abs(d - 5) / 2)
                    + (if abs(t - d) < abs(-3) { 1.0 } else { 0.0 })
                """, false),
        LARGEST_OF_MANY("""
                wide[i in 0..75] = sqrt(x[i % D]) * float((i * 7) % 5)
                values, places = top(6, wide)
                first, place = top(1, wide)
                y[d in 0..D] = first[0] + float(place[0])
                y[places[j] % D] += float(places[j]) / 64.0
                    + (if values[j] >= 0.0 { values[j] } else { 0.5 })
                y[d] = if y[d] >= 0.0 { y[d] } else { -0.25 }
                """, true),
        AXIS_OF_A_PARAMETER("""
                y = x
                for i in 0..5 {
                    y = 0.5 * y + stack[i] @ x + stack[2] @ y
                }
                """, true),
        INSTANCES_SIDE_BY_SIDE("""
                y = tanh(stack[1] @ x) * (stack[2] @ x) - stack[0] @ x
                """, true),
        A_PART_CHANGED("""
                y = x
                y[t, d in 1..D] += 1.0 + x[t, d - 1]
                y[t, e in 0..2] *= 2.0
                """, false),
        RANGES_FROM_DATA("""
                n = int(x[0, 0] * 4.0)
                none = scores[0..n - 9] @ x[0]
                k[t] = int(abs(x[t, 1]) * 4.0) % 4
                y[t, d] = x[t, d] + (sum[i in k[t]..3] x[t, i % D]) + sum(none)
                    + (sum[i in k[t]..2] 1.0)
                m[t] = mean[i in k[t]..4] x[t, i % D]
                y[t, d] = y[t, d] + m[t]
                """, false),
        SELECTED_TOKENS("""
                score[t] = x[t, 0]
                kept = [t where score[t] > 0.2]
                z[k, d] = x[kept[k], d]
                total[d] = sum[k] z[k, d]
                v[k, d] = z[k, d] + 0.5 * (z[k - 1, d] or 0) + total[d]
                y = x
                y[kept[k], d] = v[k, d]
                """, false),
        SELECTED_TOKENS_THROUGH_BLOCKS("""
                kept = [t where x[t, 0] + x[t, 1] > 0.0]
                z[k, d] = x[kept[k], d]
                z = half(mixers[3](mixers[1](z)))
                back[t in 0..T, d] = sum[k] (if kept[k] == t { z[k, d] } else { 0.0 })
                near[t in 0..T, d] = max[k] z[k, d] where kept[k] <= t
                y[t, d] = x[t, d] + back[t, d] + (if near[t, d] > -1e30 { near[t, d] } else { 0.0 })
                """, false),
        SELECTED_TWICE("""
                first = [t where x[t, 0] > -0.5]
                z[k, d] = x[first[k], d]
                second = [k where z[k, 1] > 0.0]
                n = sum[j] (if second[j] >= 0 { 1.0 } else { 0.0 })
                y = x
                y[first[second[j]], d] += z[second[j], d] * n
                """, false),
        SELECTED_CHANNELS("""
                kept = [d where x[d] > 0.0]
                z[k] = 2.0 * x[kept[k]] - (x[kept[k] - 1] or 0)
                p[k] = softmax[k] z[k]
                y = x
                y[kept[k]] = p[k] * (sum[j] z[j])
                """, true),
        SELECTED_IN_A_BRANCH("""
                y = x
                if (sum[t, d] x[t, d]) > 0.0 {
                    kept = [t where x[t, 0] > 0.0]
                    y[kept[k], d] += x[kept[k], d] * 2.0
                }
                for i in 0..2 {
                    above = [t where y[t, 1] > float(i)]
                    y[above[k], d] += 1.0
                }
                """, false),
        REPEATED_CHOICES("""
                e[j in 0..3] = if x[j % 2] > 0.0 { 2 } else { j }
                v[j in 0..3] = x[j % 2] + float(j)
                y[d] = sum[j] v[j] * halves[e[j]](x)[d]
                """, true),
        A_BLOCK_BY_DATA("""
                best = argmax[d] x[d]
                values, places = top(1, x)
                k = places[0]
                y = halves[best % 4](x) + halves[k % 4](x) + sparse[best % 4](x)
                for i in 0..3 { y = y + halves[(best + i) % 4](x) }
                """, true),
        NO_BLOCK_IN_A_LIST("""
                p[n in 0..4] = x[n % D] * float(n - 1)
                y = x + (route x to sparse by top(2, p))
                for i in 0..4 { y = y + sparse[i](x) }
                """, true),
        NO_BLOCK_AT_THE_END("""
                p[n in 0..3] = x[n % D] * float(n - 1)
                y = x + (route x to ended by top(1, p))
                """, true),
        NO_BLOCK_AS_A_CHOICE("""
                e[j in 0..3] = if x[j % 2] > 0.0 { none } else { j }
                v[j in 0..3] = if e[j] == none { 1.0 / (x[0] - x[0]) } else { x[j % 2] }
                y[d] = x[d] + (sum[j] v[j] * halves[e[j]](x)[d]) + (sum[j] v[j] * sparse[e[j]](x)[d])
                """, true),
        NO_BLOCK_FOR_A_SEQUENCE("""
                e[j in 0..2] = if x[0, j] > 0.0 { none } else { 3 * j }
                y[t, d] = x[t, d] + (sum[j] float(j + 1) * mixers[e[j]](x)[t, d])
                """, false),
        GUARDED_BY_STATEMENTS("""
                y = x
                for i in 0..5 {
                    if i < 4 and i != 2 {
                        y = y + scores[i, 0] * x
                        if i != 0 { y[d] = y[d] + 0.5 * scores[i - 1, d % 2] }
                    } else {
                        y[d] = 0.75 * y[d] + many_scores[i, 0]
                    }
                }
                """, true),
        GUARDED_BY_CHOICES("""
                a[d in 0..D] = if d == 0 { 0.0 } else { x[d - 1] }
                b[d in 0..D] = if 2 * d < D { x[2 * d] } else { 1.0 }
                c[d in 0..D] = if d < 1 or d + 1 >= D { 2.0 } else { x[d + 1] * x[d - 1] }
                y[d] = a[d] + b[d] + c[d] + (sum[e in 0..D] x[2 * e + 1] where 2 * e + 1 < D)
                """, true),
        ROWS_OF_ROWS("y[t, d] = x[t][d] + (sum[e] x[t][e] * w[e][d])", false),
        LEAVING_TWO_LOOPS("""
                y = x
                outer: for i in 0..4 {
                    y = 1.25 * y
                    for j in 0..3 {
                        y = y + 0.25
                        if y[0] > 2.0 { break to outer }
                        if y[1] > 1.5 { break }
                        y = 1.5 * y
                    }
                    y = y - 0.125
                }
                """, true),
        LEAVING_A_WHILE("""
                y = x
                n = 0.0
                rounds: for i in 0..3 {
                    while (sum[d] y[d]^2) < 20.0 and n < 30.0 {
                        y = 1.25 * y + 0.25
                        n = n + 1.0
                        if y[0] > 3.0 { break to rounds }
                    }
                    y = 0.5 * y
                }
                y = y + n
                """, true),
        LEAVING_TWO_LOOPS_BY_SEQUENCE("""
                y = x
                outer: for i in 0..3 {
                    for j in 0..2 {
                        y = 1.25 * y + 0.125
                        if (sum[t, d] y[t, d]) > 3.0 { break to outer }
                    }
                    y = y - 0.25
                }
                """, false),
        LEAVING_FROM_A_GATE("""
                y = x
                outer: for i in 0..3 {
                    for j in 0..2 {
                        score[t] = y[t, 0] + y[t, 1]
                        y = 1.25 * y + 0.125
                        if score > 0.5 {
                            y = y + 1.0
                            if score > 2.0 { break to outer }
                            y = y - 0.5
                        }
                    }
                    y = y - 0.25
                }
                """, false),
        SKIPPED_TERMS("""
                m[d in 0..D] = mean[u in 0..3] (x[d + u - 1] or skip)
                p[d in 0..D, u in 0..3] = softmax[u] (x[d + 2 * u - 2] or skip)
                b[d in 0..D] = argmax[u in 0..5] (x[d + u - 3] or skip)
                y[d] = m[d] + (sum[u] p[d, u] * float(u + 1)) + float(b[d])
                    + (max[u in 0..4] (x[d - u] or skip) * (x[d + u] or skip))
                """, true),
        SKIPPED_NEIGHBOURS("""
                y[t, d] = (mean[u in 0..3, v in 0..3] (x[t + u - 1, d + v - 1] or skip))
                """, false),
        A_MIXED_LIST_OF_SEVERAL_RESULTS("""
                y = x
                for i in 0..3 {
                    y, m = pairs[i](y)
                    y = y + m
                }
                """, false),
        ELEMENTARY("""
                y[d] = tanh(x[d]) + erf(x[d]) * sin(3.0 * x[d]) + cos(x[d]) + sigmoid(x[d])
                    + log(abs(x[d]) + 0.1) + sqrt(abs(x[d])) + floor(4.0 * x[d])
                    + (abs(x[d]) + 0.5)^1.7
                """, true),
        POWERS("""
                zero[d in 0..D] = if x[d] > 0.0 { 0.0 } else { -0.0 }
                huge[d in 0..D] = if x[d] > 0.0 { 1.0 / 0.0 } else { -1.0 / 0.0 }
                power[d, b in 0..3, e in 0..6] = (if b == 0 { zero[d] } else { if b == 1 { huge[d] } else { x[d] } })
                    ^ (if e < 3 { float(e) - 1.5 } else { if e == 3 { -1.0 } else { if e == 4 { -3.0 } else { 2.0 } } })
                shown[d, b, e] = if power[d, b, e] > 1e30 { 1e3 }
                    else { if power[d, b, e] < -1e30 { -1e3 } else { if power[d, b, e] == power[d, b, e] { power[d, b, e] } else { 7.0 } } }
                y[d] = sum[b, e] shown[d, b, e] * float(1 + b + 3 * e)
                """, true),
        NORMALISED("m = mean[e] x[e]\nv = mean[e] (x[e] - m)^2\ny[d] = (x[d] - m) / sqrt(v + 1e-5)",
                true),
        SOFTMAX("p = softmax(x)\ny[d] = p[d] * (max[e] x[e]) + (min[e] x[e]) - logsumexp[e] x[e]",
                true),
        BEST("k = argmax[e] x[e]\ny[d] = x[k] + (if d == k { 1.0 } else { 0.0 })", true),
        TRUTHS("""
                some = any[e] (x[e] > 0.9)
                every = all[e] (x[e] > -0.9)
                y[d] = (if some { 1.0 } else { 2.0 }) + (if every { 10.0 } else { 20.0 }) * x[d]
                """, true),
        REVERSED("y[d] = x[D - 1 - d]", true),
        SHIFTED("y[t, d] = x[t, d] + 2.0 * (x[t - 1, d] or 0) - (x[t - 3, d] or 1)", false),
        PREFIX_MEAN("y[t, d] = mean[s] x[s, d] where s <= t", false),
        GATE_OVER_THE_STREAM("""
                y = x
                score[t] = x[t, 0]
                if score > 0.2 {
                    total[d] = sum[t] x[t, d]
                    y[t, d] = total[d] - (x[t - 1, d] or 0)
                }
                """, false),
        BRANCH_ON_A_SEQUENCE("""
                total[d] = sum[t] x[t, d]
                y = x
                if total[0] > 0.0 {
                    best = argmax[t] x[t, 0]
                    y[t, d] = total[d] - (x[t - 1, d] or 0) + x[best, d]
                } else if total[1] > 0.5 {
                    y = half(x)
                }
                """, false),
        GATE_IN_A_BRANCH_ON_A_SEQUENCE("""
                total = sum[t, d] x[t, d]
                y = x
                if total > 0.0 {
                    score[t] = x[t, 0] - (x[t - 1, 0] or 0)
                    if score > 0.2 {
                        n = sum[t] (if x[t, 0] > 0.0 { 1.0 } else { 0.0 })
                        y[t, d] = total * x[t, d] - (x[t - 1, d] or 0) + n
                    }
                    if total > 3.0 { y = 2.0 * y }
                }
                """, false),
        STATE_IN_A_BRANCH_ON_A_SEQUENCE("""
                y = x
                if (sum[t, d] x[t, d]) > 0.0 {
                    seen ++= x
                    a[t, s] = (sum[d] x[t, d] * seen[s, d]) / 4.0
                    p[t, s] = softmax[s] a[t, s]
                    y[t, d] = sum[s] p[t, s] * seen[s, d]
                    last[d] = last[d] + (sum[t] x[t, d])
                }
                y[t, d] = y[t, d] + last[d]
                """, "state seen[S, D], last[D] = 0"),
        WHILE_FOR_EACH_TOKEN("""
                y = x
                n = 0.0
                while (sum[d] y[d]^2) < 9.0 and n < 40.0 {
                    y = 1.25 * y + 0.125
                    n = n + 1.0
                }
                y = y + n
                """, true),
        WHILE_FOR_A_SEQUENCE_WITH_A_MAXIMUM("""
                y = x
                while (sum[t, d] y[t, d]) < 4.0 max 6 {
                    seen ++= y
                    y[t, d] = y[t, d] + 0.25 * (y[t - 1, d] or 0.5) + (mean[s] seen[s, d])
                }
                """, "state seen[S, D], last[D] = 0"),
        A_SEQUENCE_LEAVES_A_LOOP("""
                y = x
                for i in 0..4 {
                    y[t, d] = y[t, d] + 0.25 * (y[t - 1, d] or 0.5)
                    if (max[t, d] y[t, d]) > 2.0 { break }
                    y = y * 1.25
                }
                """, false),
        ROUTE_FOR_A_SEQUENCE("""
                total[d] = sum[t] x[t, d]
                y = route x to mixers by top(2, softmax(scores @ total))
                """, false),
        UNLIKE_BLOCKS_AT_AN_INDEX("""
                y = x
                for i in 0..5 {
                    y = many[i](y) + 0.125
                }
                y = y + many[3](x)
                """, false),
        ROUTE_TO_UNLIKE_BLOCKS("""
                total[d] = sum[t] x[t, d]
                y = route x to many by top(3, many_scores @ total)
                """, false),
        CAUSAL_MIX("""
                a[t, s] = (sum[d] x[t, d] * x[s, d]) / 2.0
                p[t, s] = softmax[s] a[t, s] where s <= t
                y[t, d] = sum[s] p[t, s] * x[s, d]
                """, false),
        UNNORMALISED_MIX("""
                a[t, s] = sum[d] x[t, d] * x[s, d]
                y[t, d] = (sum[s] (if s <= t { exp(a[t, s] / 8.0) } else { 0.0 }) * x[s, d])
                """, false),
        FOLDED_BY_DATA("""
                slot[d in 0..D] = d / 2
                y[t, d] = x[t, slot[d]] + x[t, d % 2]
                """, false),
        REDUCTION_BEHIND_A_CONDITION("""
                y[d] = if d + 1 < D { sum[j in 0..2] x[d + j] } else { prod[j in 0..2] x[d - j] }
                """, true),
        PLACE_BEHIND_A_CONDITION("""
                k[d in 0..D] = if d > 0 { argmax[j in 0..2] x[d - j] } else { 0 }
                y[d] = float(k[d]) + (if d > 0 { (softmax[d] x[d]) } else { 0.0 })
                """, true),
        REDUCTION_BEHIND_A_FILTER("""
                y[d] = x[d] + (sum[e in 0..D] (max[j in 0..2] x[e + j]) where e + 1 < D)
                """, true),
        REDUCTION_BEHIND_DATA("""
                k = int(8.0 * abs(x[0]))
                a = if k < D { sum[d] w[k, d] * x[d] } else { -1.0 }
                b = if k == 0 { 0 } else { sum[d] int(x[d]) / k }
                y = x + a + float(b)
                """, true),
        REDUCTION_BEHIND_AND_OR("""
                k = int(8.0 * abs(x[0]))
                a = if k < D and (sum[u] w[k, u]) > 0.0 { 1.0 } else { 2.0 }
                b = if k >= D or (sum[u] w[k, u]) > 0.0 { 4.0 } else { 8.0 }
                c = if k > 0 and (sum[d] int(4.0 * x[d]) / k) > 0 { 16.0 } else { 32.0 }
                y[d] = (if d + 1 < D and x[d + 1] > 0.0 { 1.0 } else { 0.0 }) + a + b + c
                """, true),
        A_SHORTER_AXIS_BEHIND_A_CONDITION("""
                short[i in 0..2] = w[0, i]
                z[d in 0..D] = if d < 2 { short[d] } else { -1.0 }
                y = z * x
                """, true),
        PARTS_OF_AXES("""
                part = w[1..D] @ x
                both[d, e] = w[0..D - 1, 1..D][d, e] * x[e + 1]
                first = sum(w[0, 0..D - 1] * x[0..D - 1])
                y[d] = x[d] + first + (part[d] or 0) + (sum[e in 0..D - 1] (both[d, e] or 0))
                """, true),
        AN_AXIS_AS_LONG_AS_A_NUMBER("""
                width = min(int(abs(x[0]) * 3.0), D)
                h[e in 0..width] = sum[d] w[e, d] * x[d]
                turned[e in 0..width] = h[width - 1 - e] + (h[e + 1] or 0.5)
                y[d] = x[d] + (sum[e in 0..width] w[d, e] * turned[e])
                """, true),
        VIEWS_AS_LONG_AS_A_NUMBER("""
                width = min(int(abs(x[0]) * 3.0), D)
                low = width / 2
                h = silu(w[0..width] @ x) * (w[0..width] @ x)
                part = w[low..width] @ x
                y[d] = x[d] + (sum[f in 0..width] w[d, f] * h[f]) + sum(part)
                """, true),
        WIDTHS_IN_A_GATE("""
                y = x
                if x[1] > 0.0 {
                    width = min(int(x[1] * 4.0), D)
                    h = w[0..width] @ x
                    y[d] = x[d] + (sum[e in 0..width] h[e] * w[e, d])
                }
                """, true),
        NUMBERS_OF_A_SEQUENCE("""
                n = min(int(abs(sum[d] x[0, d])), T)
                first[t in 0..n, d] = x[t, d] * 2.0
                m[d] = sum[t] first[t, d]
                y[t, d] = x[t, d] + m[d]
                """, false),
        JAGGED("""
                n[t] = int(abs(x[t, 0]) * 2.0) % 4
                a[t, i in 0..n[t], d] = x[t, d] * float(i + 1)
                b[t, i, d] = a[t, i, d] + (a[t, i + 1, d] or 0.25)
                y[t, d] = x[t, d] + (sum[i] b[t, i, d])
                """, false),
        JAGGED_SUMS("""
                n[t] = int(abs(x[t, 0]) * 2.0) % D
                a[t, i in 0..n[t]] = sum[d] w[i, d] * x[t, d]
                b[t, i in 0..n[t]] = max[d] w[i, d] * a[t, i]
                y[t, d] = x[t, d] + (sum[i] a[t, i] * b[t, i])
                """, false),
        ONE_NUMBER_FOR_MANY_RANGES("""
                n[t] = int(abs(x[t, 0]) * 2.0) % D
                a[t, i in 0..n[t], d] = x[t, d] * w[i, d]
                b[t, d] = sum[i in 0..n[t]] a[t, i, d]
                c[t, i in 0..D, d] = w[i, d] + x[t, d]
                e[s, j in 0..n[s], d] = a[s, j, d] + c[s, j, d]
                f[t, i in 0..n[t], j in 0..n[t]] = a[t, i, 0] * e[t, j, 1]
                y[t, d] = b[t, d] + (sum[i in 0..n[t]] e[t, i, d] * f[t, i, i])
                """, false),
        ONE_NUMBER_BEHIND_A_CONDITION("""
                n[t] = int(abs(x[t, 0]) * 2.0) % D
                a[t, d] = if d > 0 { sum[i in 0..n[t]] w[i, d] * x[t, i] } else { 0.5 }
                b[t, i in 0..n[t], d] = w[i, d]
                y[t, d] = a[t, d] + x[t, d] + (sum[i in 0..n[t]] b[t, i, d])
                """, false),
        JAGGED_LONGER_THAN_WHAT_IT_READS("""
                n[t] = int(abs(x[t, 0]) * 2.0)
                a[t, i in 0..n[t]] = x[t, 1] * float(i + 1)
                m[t] = n[t] + 5
                a[t, i in 0..m[t]] = (a[t, i] or 7.0)
                y[t, d] = x[t, d] + sum[i] a[t, i]
                """, false),
        JAGGED_IN_A_GATE("""
                n[t] = int(abs(x[t, 0]) * 2.0) % 4
                a[t, i in 0..n[t], d] = x[t, d] * float(i + 1)
                y = x
                score[t] = x[t, 1]
                if score > 0.0 { y[t, d] = x[t, d] + (sum[i] a[t, i, d]) }
                """, false),
        A_NEIGHBOURS_JAGGED_AXIS("""
                n[t] = int(abs(x[t, 0]) * 2.0) % 4
                a[t, i in 0..n[t], d] = x[t, d] * float(i)
                y[t, d] = x[t, d] + (sum[i in 0..n[t]] (a[t - 1, i, d] or 0))
                """, false),
        TRIANGLES("""
                y[t, d] = x[t, d] + (sum[u in 0..t + 1] (max[e] x[u, e]) * x[u, d])
                """, false),
        SEGMENTS("""
                start[i in 0..4] = i * T / 3
                each[i in 0..3, d in 0..D] = sum[p in start[i]..start[i + 1]] x[p, d]
                y[t, d] = x[t, d] + (sum[i] each[i, d] * float(i + 1))
                """, false),
        JAGGED_BEHIND_AN_INDEX("""
                n[e in 0..3] = e % 3
                z[e, i in 0..n[e], d in 0..D] = x[d] * w[i % D, d] + float(e)
                top[e, d] = max[i] z[e, i, d]
                y[d] = x[d] + (sum[e in 0..3] (if n[e] > 0 { top[e, d] } else { 0.0 }))
                """, true),
        MATRIX("y = w @ x", true),
        TWO_MATRICES("y = w @ (silu(w @ x) * x) + x", true),
        ROUNDED("h = half(x)\ny = h * 1.001", true);

        private final String body;
        private final boolean token;

        private final String state;

        Program(String body, boolean token) {
            this.body = body;
            this.token = token;
            this.state = "";
        }

        /** For a whole sequence, with something to remember. */
        Program(String body, String state) {
            this.body = body;
            this.token = false;
            this.state = state;
        }

        String source(int width) {
            return """
                    block Half<D> {
                        precision { activations: bf16 }
                        forward(x[D]) -> y[D] { y = x * 1.0078125 }
                    }

                    block Shift<D> {
                        forward(x[T, D]) -> y[T, D] { y[t, d] = x[t, d] - (x[t - 1, d] or 0) }
                    }

                    block Scaled<D> {
                        param scale[D]
                        forward(x[T, D]) -> y[T, D] {
                            m[d] = mean[t] x[t, d]
                            y[t, d] = scale[d] * (x[t, d] - m[d])
                        }
                    }

                    block Apart<D> {
                        forward(x[T, D]) -> (y[T, D], m[T, D]) {
                            y = 0.5 * x
                            m[t, d] = x[t, d] - (x[t - 1, d] or 0)
                        }
                    }

                    block Around<D> {
                        param scale[D]
                        forward(x[T, D]) -> (y[T, D], m[T, D]) {
                            y[t, d] = scale[d] * x[t, d]
                            m = x
                        }
                    }

                    block Scale<D> {
                        param scale[D]
                        forward(x[D]) -> y[D] = scale * x
                    }

                    block Part<D> {
                        pairs: [Apart<D>, Around<D>, Apart<D>]
                        param w[D, D], scores[4, D], many_scores[5, D], stack[5, D, D]
                        many: [if i == 1 or i == 4 { Shift<D> } else { Scaled<D> } for i in 0..5]
                        mixers: Scaled<D> * 3 ++ [Shift<D>]
                        %s
                        half: Half<D>
                        halves: Scale<D> * 4
                        sparse: Scale<D> * 2 ++ [none, Half<D>]
                        ended: Scale<D> * 2 ++ [none]
                        forward(%s) -> %s {
                    %s
                        }
                    }

                    model M<D = %d> {
                        part: Part<D>
                        forward(x[T, D]) -> y[T, D] = part(x)
                    }
                    """.formatted(
                            state,
                            token ? "x[D]" : "x[T, D]", token ? "y[D]" : "y[T, D]", body, width);
        }
    }

    private static Tensor input(int rows, int width, long seed) {
        Random random = new Random(seed);
        Tensor x = Tensor.zeros(Format.F32, rows, width);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextGaussian());
        }
        return x;
    }

    /** Two steps, where the program can be stepped: what is remembered counts too. */
    private static Tensor run(TestModel model, List<Tensor> sequences) {
        List<Engine.Session> sessions = new ArrayList<>();
        long[] rows = new long[sequences.size()];
        long total = 0;
        for (int b = 0; b < rows.length; b++) {
            sessions.add(model.engine().start());
            rows[b] = sequences.get(b).shape()[0];
            total += rows[b];
        }
        Tensor all = Tensor.zeros(Format.F32, total, sequences.getFirst().shape()[1]);
        long at = 0;
        for (Tensor sequence : sequences) {
            for (long i = 0; i < sequence.elements(); i++) {
                all.setReal(at++, sequence.real(i));
            }
        }
        if (model.program().stream().orElseThrow().obstacle().isEmpty()) {
            model.engine().step(sessions, rows, List.of(all), Engine.Tracer.NONE);
        }
        return model.engine().step(
                sessions, rows, List.of(all), Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @EnumSource(Program.class)
    void compiledProgramsMeanTheSame(Program program) throws Exception {
        for (int width : new int[] {2, 17}) {
            String source = program.source(width);
            try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                    TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                    TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
                for (int stream : STREAMS) {
                    List<Tensor> sequences = List.of(
                            input(stream, width, stream), input(5, width, 99),
                            input(0, width, 1));
                    if (program == Program.GATE_OVER_THE_STREAM || !program.token) {
                        sequences = sequences.subList(0, 2);
                    }
                    Tensor expected = run(oracle, sequences);
                    String name = program + ", width " + width + ", " + stream + " rows";
                    FixtureTest.assertClose(name + ", native", expected,
                            run(nativeCode, sequences));
                    FixtureTest.assertClose(name + ", jvm", expected, run(jvm, sequences));
                    assertTrue(run(jvm, sequences).equals(run(nativeCode, sequences)),
                            name + ": both generators give the same bytes");
                }
            }
        }
    }
}
