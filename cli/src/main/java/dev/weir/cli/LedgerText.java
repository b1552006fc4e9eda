package dev.weir.cli;

import dev.weir.runtime.ledger.Ledger;

/** The ledger for people. */
final class LedgerText {
    private LedgerText() {}

    static String of(Ledger ledger) {
        StringBuilder text = new StringBuilder();
        ledger.gates().forEach(g -> text.append(String.format(
                "gate   %-40s %d of %d entered%n", g.path(), g.entered(), g.all())));
        ledger.routes().forEach(r -> text.append(String.format(
                "route  %-40s %s%n", r.path(), r.served())));
        ledger.loops().forEach((path, n) -> text.append(String.format(
                "loop   %-40s %d iterations%n", path, n)));
        text.append(String.format("kernels launched: %d%n", ledger.launches()));
        text.append(String.format("bytes of weights read: %,d%n", ledger.weightBytes()));
        return text.toString();
    }
}
