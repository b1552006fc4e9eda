package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Source;

/** Small programs in text that have every kind of node between them. */
final class Samples {
    private Samples() {}

    /** For one sequence and one token. */
    static final String UNLIFTED = """
            program "all \\"kinds\\"" stream 'T' results ("y", "c")
            configuration "size" "4"
            parameter %0 "weight" : bf16[2, 4, 4] instances 1 path "experts.{0}.w" stored ("e.{0}.w")
            parameter %1 "bias" : f32[4] instances 0 path "b" stored () optional -Infinity
            state "keys" instances (3) %2 "keys" : f32[3, 'B', 'S', 4] slots 'S' lengths %3 \
            "lengths" : i64[3, 'B'] initial 0.0
            state "sum" instances () %4 "sum" : f32['B', 4] initial 1.5
            function "expert" path "experts.{0}" instances (%10 "e" : i64[]) \
            arguments (%11 "x" : f32[4]) {
              %12 "y" : f32[4] = compute [$13 "d" in 0 i64 .. 4 i64] \
            sum[$14 "i" in 0 i64 .. 4 i64] where less_equal($14, $13) \
            multiply(%0[%10[], $13, $14], %11[$14])
              yield (%12)
            }
            function "token" path "" instances () arguments (%20 "x" : f32[4]) {
              %21 "best" : f32[1], %22 "which" : i64[1] = top_k %20 1
              %23 "r" : f32[4] = route %22 %21 ("expert" 0 2 indexed) () (%20) path "experts"
              %24 "go" : bool[] = compute [] greater(%21[0 i64], NaN f32)
              %25 "z" : f32[4] = if %24 {
                %26 "twice" : f32[4] = compute [$27 "d" in 0 i64 .. 4 i64] \
            round bf16(add(%23[$27], %1[within(remainder($27, 4 i64), 4 i64, "axis 0 of b")] checked))
                yield (%26)
              } else {
                yield (%23)
              }
              trace "z" () %25
              yield (%25)
            }
            entry "main" path "" instances () arguments (%30 "x" : f32['T', 4]) {
              %31 "z" : f32['T', 4] = call "token" () (%30) lift 'T' (true)
              %32 "open" : bool['T'] = compute [$33 "t" in 0 i64 .. extent 'T'] \
            any[$34 "d" in 0 i64 .. 4 i64] greater(%31[subtract($33, 1 i64), $34] or (0.0 f32), \
            convert f32($33))
              %35 "g" : f32['T', 4] = gate %32 entrants 'K' captured (%31) before (%31) \
            path "gate" arguments (%36 "in" : f32['K', 4]) {
                yield (%36)
              }
              %40 "all" : f32['S', 4] = append "keys" (2 i64) %35
              %41 "old" : f32[4] = read "sum" ()
              %45 "start" : bool[1] = compute [$50 "i" in 0 i64 .. 1 i64] 1 bool
              %42 "new" : f32[4], %43 "on" : bool[1] = loop %44 "i" : i64[] from 0 i64 to 3 i64 \
            initial (%41, %45) active 1 path "loop" \
            arguments (%46 "c" : f32[4], %47 "a" : bool[1]) {
                %48 "c" : f32[4] = scatter %46 [$49 "d" in 0 i64 .. 2 i64] at ($49) \
            combine maximum checked %40[0 i64, $49]
                yield (%48, %47)
              }
              write "sum" () %42
              yield (%35, %42)
            }
            """;

    /** For a batch. */
    static final String LIFTED = """
            program "lifted" stream 'T' results ("y")
            frames 'B' 'N' %1 "segment" : i64['N'] %2 "offsets" : i64[('B' + 1)]
            state "keys" instances () %3 "keys" : f16['B', 'S', 2] slots 'S' lengths %4 \
            "lengths" : i64['B'] initial 0.0
            state "last" instances () %5 "last" : f32['B', 2] initial 0.0
            entry "main" path "" instances () arguments (%6 "x" : f16['N', 2], %7 "k" : i64['N']) {
              append_rows "keys" () %6 %1 %2
              %8 "order" : i64['N'], %9 "members" : i64['N'], %10 "ends" : i64[3] = grouping %7 2
              %11 "zero" : bool['N'] = compute [$12 "p" in 0 i64 .. extent 'N'] \
            equal(%9[$12], 0 i64)
              %13 "chosen" : i64['K'] = selection %11 'K'
              tally "gate" () gate (extent 'K', extent 'N')
              tally "route" () route () offsets %10
              measure 'M' %4
              %14 "s" : f32['N', 'M'] = compute [$15 "p" in 0 i64 .. extent 'N', \
            $16 "s" in 0 i64 .. %4[%1[$15]]] multiply(%3[%1[$15], $16, 0 i64], %6[$15, 1 i64])
              %17 "z" : f32['N', 2] = compute [$18 "p" in 0 i64 .. extent 'N', \
            $19 "d" in 0 i64 .. 2 i64] %6[$18, $19]
              write_rows "last" () %17 %1
              yield (%17)
            }
            """;

    static TensorProgram parse(String text) {
        return Parser.parse(new Source("sample.weirt", text));
    }
}
