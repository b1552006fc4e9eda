package dev.weir.ir.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong is found; what is right is left alone. */
class KernelVerifierTest {

    private static Kernel kernel(String body) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel k {
                    buffer x f32
                    buffer w i32
                    buffer table i64
                    scalar n i64
                    tile t i64
                    do {
                        %s
                    }
                }
                """.formatted(body)));
    }

    @Test
    void acceptsAllSamples() {
        for (Kernel kernel : KernelSamples.all()) {
            assertEquals(List.of(), KernelVerifier.problems(kernel));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "let a f32 = 1:i64 | expected f32, found i64",
        "let a f32 = n | expected f32, found i64",
        "let a f32x4 = 1.0:f32x4 | a real constant is of f32x4",
        "let a i32 = 4294967296:i32 | does not fit i32",
        "let a bool = 2:bool | is no bool",
        "n = 1:i64 | n is not a mutable variable in scope",
        "let a i64 = n a = n | a is not a mutable variable in scope",
        "let a i64 = n let a i64 = n | variable a is there twice",
        "store(x, 1:i32, 1.0:f32) | expected i64, found i32",
        "store(x, n, n) | expected f32, found i64",
        "store(x, n, 1.0:f32, 1:i32) | expected i64, found i32",
        "let a f32 = load(x, 0.5:f32, 1) | expected i64, found f32",
        "bind y f32 = x[n] | the table is not of i64",
        "if n { } | expected bool, found i64",
        "for i i64 = n to n step 0 { } | the step is not positive",
        "for i i32 = n to n step 1 { } | expected i64, found i32",
        "fault 1, 1:i32, n | expected i64, found i32",
        "let a i64 = square_root(n) | square_root of i64",
        "let a f32 = and(1.0:f32, 1.0:f32) | and of f32",
        "let a f32 = remainder(1.0:f32, 1.0:f32) | remainder of f32",
        "let a bool = add(1:bool, 1:bool) | add of bool",
        "let a bool = less(1:bool, 1:bool) | less of bool",
        "let a bool = not(1:bool) let b i64 = not(n) | not of i64",
        "let a i64 = select(n, n, n) | select by i64",
        "let a i64 = fma(n, n, n) | fma of i64",
        "let a f64 = bitcast(f64, 1.0:f32) | bitcast of f32 to f64",
        "let a f32x4 = broadcast(load(x, n, 2), 4) | broadcast of f32x2",
        "let a i64 = round(bf16, n) | round to bf16 of i64",
    })
    void finds(String body, String problem) {
        List<String> problems = KernelVerifier.problems(kernel(body));
        assertTrue(problems.stream().anyMatch(p -> p.contains(problem)), problems.toString());
    }

    @Test
    void knowsScopes() {
        Variable inner = new Variable("inner", Type.I64);
        Statement use = new Statement.Declare(
                new Variable("outer", Type.I64), new Expression.Get(inner), false);
        Statement declare = new Statement.Declare(
                inner, new Expression.Whole(Type.I64, 1), false);
        Statement branch = new Statement.If(
                new Expression.Whole(Type.BOOL, 1), List.of(declare), List.of());
        Kernel kernel = new Kernel("k", List.of(), List.of(), List.of(),
                new Variable("t", Type.I64), List.of(branch, use));
        assertTrue(KernelVerifier.problems(kernel).getFirst().contains("not in scope"));
        assertThrows(IllegalStateException.class, () -> KernelVerifier.verify(kernel));
    }
}
