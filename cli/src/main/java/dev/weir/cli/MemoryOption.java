package dev.weir.cli;

import dev.weir.runtime.memory.Pool;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The option that limits the memory of a model. */
final class MemoryOption {
    @Option(names = "--memory-limit", paramLabel = "BYTES", converter = Bytes.class,
            description = "most memory for what sequences remember, for intermediate tensors and "
                    + "for packed weights together, such as 512M or 4G; the mapped weights do not "
                    + "count (default: no limit)")
    private Optional<Long> limit = Optional.empty();

    /** In bytes. */
    long limit() {
        return limit.orElse(Pool.UNLIMITED);
    }

    /** Refuses a limit where nobody would keep to it. */
    void requireSense(ModelOptions options) {
        options.require(limit.isEmpty() || options.target != ModelOptions.Target.INTERPRETER,
                "--memory-limit goes with --target native and jvm: the interpreter computes on "
                        + "Java's heap, which Java limits");
    }

    /** Reads {@code 4096}, {@code 64K}, {@code 512M}, {@code 4G}; a K is 1024. */
    static final class Bytes implements ITypeConverter<Long> {
        private static final String UNITS = "KMGT";
        private static final Pattern FORM = Pattern.compile("(\\d{1,15})([KMGTkmgt]?)");

        @Override
        public Long convert(String text) {
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("'" + text
                        + "' is not a number of bytes, such as 1000000, 512M or 4G");
            }
            long bytes = Long.parseLong(matcher.group(1));
            int unit = matcher.group(2).isEmpty()
                    ? 0 : UNITS.indexOf(Character.toUpperCase(matcher.group(2).charAt(0))) + 1;
            if (bytes > Long.MAX_VALUE >> 10 * unit) {
                throw new TypeConversionException("'" + text + "' is more memory than there is");
            }
            return bytes << 10 * unit;
        }
    }
}
