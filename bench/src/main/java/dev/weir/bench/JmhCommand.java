package dev.weir.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.Main;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code weir-bench jmh}: single kernels under JMH, with JMH's own options. */
@Command(name = "jmh", description = "Run single kernels under JMH; takes JMH's options (-h).")
final class JmhCommand implements Callable<Integer> {
    @Parameters(description = "handed on")
    private List<String> arguments = List.of();

    @Override
    public Integer call() throws IOException {
        Main.main(arguments.toArray(String[]::new));
        return 0;
    }
}
