package dev.weir.ir.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.api.Test;

/** Every rule fires on a sample in which one thing was made wrong, and none on the samples. */
class VerifierTest {

    @Test
    void findsNothingInTheSamples() {
        assertEquals(List.of(), Verifier.verify(Samples.parse(Samples.UNLIFTED)));
        assertEquals(List.of(), Verifier.verify(Samples.parse(Samples.LIFTED)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "%43 \"on\"                | %0 \"on\"                 | is defined twice",
        "$14                        | $13                       | is used twice",
        "yield (%23)               | yield (%26)               | %26 twice is not in scope",
        "sum[$14 \"i\" in 0 i64 .. 4 i64] where less_equal($14, $13) | sum[$14 \"i\" in 0 i64 .. 4 i64] where $14 | the filter is i64 where bool",
        "multiply(%0[               | less(%0[                  | the body is bool where f32",
        "%11[$14])                  | $14)                      | multiply of f32 and i64",
        "%0[%10[], $13, $14]        | %0[%11[$13], $13, $14]    | a coordinate of weight is f32",
        "[$13 \"d\" in 0 i64 .. 4   | [$13 \"d\" in 0 i64 .. 5  | ends at 5, and the result has 4",
        "[$13 \"d\" in 0 i64        | [$13 \"d\" in -1 i64      | begins below 0",
        "[$13 \"d\" in 0 i64        | [$13 \"d\" in 0.0 f32     | the lower bound of d.13 is f32",
        "top_k %20 1                | top_k %20 5               | the 5 largest of 4",
        "%22 \"which\" : i64[1]     | %22 \"which\" : i64[2]    | which is i64[2] where i64[1]",
        "(\"expert\" 0 2 indexed)   | (\"expert\" 1 2 indexed)  | do not follow each other",
        "(\"expert\" 0 2 indexed)   | (\"expert\" 0 2 single)   | called with 0 instances",
        "(\"expert\" 0 2 indexed)   | (\"export\" 0 2 indexed)  | there is no function export",
        "(\"expert\" 0 2 indexed)   | ()                        | a route without alternatives",
        "route %22 %21              | route %21 %21             | the selection is f32[1]",
        "route %22 %21              | route %22 %22             | the weights are i64[1]",
        "NaN f32                    | NaN bf16                  | a float constant is bf16",
        "if %24 {                   | if %21 {                  | best is f32[1] where bool[]",
        "round bf16(                | round i32(                | rounding f32 to i32",
        "within(remainder($27, 4 i64), 4 i64 | within(remainder($27, 4 i64), 4.0 f32 | the extent of axis 0 of b is f32",
        "convert f32($33)           | convert bf16($33)         | a conversion to the stored format bf16",
        "extent 'T'                 | extent 'U'                | size U is not in scope",
        "any[$34                    | sum[$34                   | sum of bool",
        "or (0.0 f32)               | or (0 i64)                | what is read outside of z is i64",
        "call \"token\" () (%30) lift 'T' (true) | call \"token\" () (%30) | x is f32[T, 4] where f32[4]",
        "lift 'T' (true)            | lift 'T' (true, true)     | a lift speaks of 2 arguments",
        "call \"token\"             | call \"taken\"            | there is no function taken",
        "gate %32                   | gate %31                  | z is f32[T, 4] where bool of rank 1",
        "%36 \"in\" : f32['K', 4]   | %36 \"in\" : f32['K', 3]  | in is f32[K, 3] where f32[K, 4]",
        "captured (%31)             | captured ()               | differ in number",
        "append \"keys\" (2 i64)    | append \"kays\" (2 i64)   | there is no state kays",
        "append \"keys\" (2 i64)    | append \"keys\" ()        | 0 instances for state keys",
        "append \"keys\" (2 i64)    | append \"sum\" ()         | state sum does not grow",
        "append \"keys\" (2 i64) %35 | append \"keys\" (2 i64) %32 | does not fit state keys",
        "write \"sum\" () %42       | write \"sum\" () %43      | does not fit state sum",
        "read \"sum\" ()            | read \"keys\" (0 i64)     | does not fit state keys",
        "initial (%41, %45)         | initial (%41)             | 1 values enter a loop that carries 2",
        "initial (%41, %45)         | initial (%45, %41)        | start is bool[1] where f32[4]",
        "yield (%48, %47)           | yield (%47, %48)          | a is bool[1] where f32[4]",
        "yield (%48, %47)           | yield (%48)               | 2 results from 1",
        "active 1                   | active 0                  | no boolean that it carries",
        "from 0 i64                 | from 0.0 f32              | the lower bound is f32",
        "scatter %46                | scatter %47               | a is bool[1] where f32[4]",
        "at ($49)                   | at ($49, $49)             | 2 coordinates for f32[4]",
        "combine maximum            | combine argument_maximum  | does not combine",
        "%40[0 i64, $49]            | %2[0 i64, 0 i64, 0 i64, $49] | keys is not in scope",
        "results (\"y\", \"c\")     | results (\"y\")           | 1 names for 2 results",
        "f32[4] instances 0         | f32['Q'] instances 0      | has a run-time size",
        "bf16[2, 4, 4] instances 1  | bf16[2, 4, 4] instances 4 | fewer axes than instances",
    })
    void firesUnlifted(String right, String wrong, String problem) {
        fires(Samples.UNLIFTED, right, wrong, problem);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "grouping %7 2              | grouping %7 3             | ends is i64[3] where i64[4]",
        "selection %11 'K'          | selection %7 'K'          | k is i64[N] where bool of rank 1",
        "selection %11 'K'          | selection %11 'L'         | size K is not in scope",
        "measure 'M' %4             | measure 'M' %11           | the table is not i64",
        "write_rows \"last\" () %17 %1 | write_rows \"last\" () %17 %2 | the sequences of the rows",
        "append_rows \"keys\" () %6 %1 %2 | append_rows \"keys\" () %6 %1 %6 | no i64 vector",
        "write_rows \"last\" () %17 %1 | write \"last\" () %17 | belongs in unlifted programs only",
        "extent 'K', extent 'N'     | extent 'K', 0.5 f32       | an instance or amount is f32",
    })
    void firesLifted(String right, String wrong, String problem) {
        fires(Samples.LIFTED, right, wrong, problem);
    }

    @Test
    void firesOnStagesCyclesAndTypes() {
        String tally = Samples.UNLIFTED.replace(
                "  trace \"z\"", "  tally \"g\" () gate ()\n  trace \"z\"");
        contains(tally, "belongs in lifted programs only");
        String cycle = Samples.UNLIFTED.replace("  trace \"z\"",
                "  %60 \"again\" : f32[4] = call \"token\" () (%20)\n  trace \"z\"");
        contains(cycle, "function token calls itself");
        contains(Samples.UNLIFTED.replace("function \"token\"", "function \"expert\""),
                "two functions expert");
        contains(Samples.LIFTED.replace("state \"last\"", "state \"keys\""), "two states keys");
        contains(Samples.LIFTED.replace(" lengths %4 \"lengths\" : i64['B'] initial", " initial")
                .replace("%4[%1[$15]]", "2 i64").replace("measure 'M' %4", "measure 'M' %7"),
                "slots without lengths");
    }

    private static void fires(String text, String right, String wrong, String problem) {
        String changed = text.replace(right, wrong);
        assertNotEquals(text, changed, "the sample does not have " + right);
        contains(changed, problem);
    }

    private static void contains(String text, String problem) {
        List<String> problems = Verifier.verify(Samples.parse(text));
        assertTrue(problems.stream().anyMatch(p -> p.contains(problem)),
                problem + " is not among " + problems);
    }
}
