package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.passes.cost.Question;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What {@code weir bench} writes of times that stand fast. */
class BenchFormTest {
    private static final List<BenchRow> ROWS = List.of(
            new BenchRow("models/small", "Small", 2_299_008, 4_598_016,
                    ModelOptions.Target.NATIVE, 8, 1, Workload.prompt(128), List.of(),
                    new Throughput(128, List.of(100_000_000L, 50_000_000L))),
            new BenchRow("models/\"odd\", name", "Considerable", 7_241_732_096L, 14_483_464_192L,
                    ModelOptions.Target.JVM, 16, 4, Workload.generation(64),
                    List.of(new Question.Context(Optional.of("encode"), 32)),
                    new Throughput(256, List.of(2_000_000_000L))));

    @Test
    void markdownIsForPeople() {
        assertEquals("""
                | model        |      size | params | target | threads | batch |             test |              t/s |
                | ------------ | --------: | -----: | ------ | ------: | ----: | ---------------: | ---------------: |
                | Small        |  4.39 MiB | 2.30 M | native |       8 |     1 |            pp128 | 1920.00 ± 905.10 |
                | Considerable | 13.49 GiB | 7.24 B | jvm    |      16 |     4 | tg64 @ encode 32 |    128.00 ± 0.00 |
                """, BenchForm.MD.of(ROWS));
    }

    @Test
    void smallModelsHaveSmallUnits() {
        var row = new BenchRow("m", "M", 384, 1_536, ModelOptions.Target.INTERPRETER, 1, 1,
                Workload.prompt(2), List.of(), new Throughput(2, List.of(1_000L)));
        assertEquals("| M     | 1.50 KiB | 0.38 K | interpreter |       1 |     1 |  pp2 "
                + "| 2000000.00 ± 0.00 |", BenchForm.MD.of(List.of(row)).lines().toList().getLast());
    }

    @Test
    void jsonHasTheSamplesToo() {
        assertEquals("""
                [ {
                  "model_filename" : "models/small",
                  "model_type" : "Small",
                  "model_size" : 4598016,
                  "model_n_params" : 2299008,
                  "target" : "native",
                  "n_threads" : 8,
                  "batch" : 1,
                  "test" : "pp128",
                  "n_prompt" : 128,
                  "n_gen" : 0,
                  "n_depth" : 0,
                  "avg_ns" : 75000000,
                  "stddev_ns" : 35355339,
                  "avg_ts" : 1920.0,
                  "stddev_ts" : 905.0966799187809,
                  "samples_ns" : [ 100000000, 50000000 ]
                } ]
                """, BenchForm.JSON.of(ROWS.subList(0, 1)));
    }

    @Test
    void csvHasALineOfNames() {
        assertEquals("""
                model_filename,model_type,model_size,model_n_params,target,n_threads,batch,test,\
                n_prompt,n_gen,n_depth,avg_ns,stddev_ns,avg_ts,stddev_ts
                "models/small","Small","4598016","2299008","native","8","1","pp128",\
                "128","0","0","75000000","35355339","1920.0","905.0966799187809"
                "models/""odd"", name","Considerable","14483464192","7241732096","jvm","16","4",\
                "tg64 @ encode 32","0","64","32","2000000000","0","128.0","0.0"
                """, BenchForm.CSV.of(ROWS));
    }
}
