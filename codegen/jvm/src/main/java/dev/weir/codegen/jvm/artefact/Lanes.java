package dev.weir.codegen.jvm.artefact;

import jdk.incubator.vector.FloatVector;

/** How wide vectors may be: those of this Java machine, or none without the Vector API. */
final class Lanes {
    private static final String MODULE = "jdk.incubator.vector";

    private Lanes() {}

    /** f32 lanes of the widest vectors; 1 without, which is said once on standard error. */
    static int widest() {
        if (ModuleLayer.boot().findModule(MODULE).isPresent()) {
            return WithVectors.lanes();
        }
        return WithoutVectors.lanes();
    }

    /** Loaded only where the Vector API is there. */
    private static final class WithVectors {
        static int lanes() {
            return FloatVector.SPECIES_PREFERRED.length();
        }
    }

    /** A class is initialised once. */
    private static final class WithoutVectors {
        static {
            System.err.println("note: the module " + MODULE + " is not there, so that this model "
                    + "runs without vectors, several times slower; start Java with "
                    + "--add-modules " + MODULE);
        }

        static int lanes() {
            return 1;
        }
    }
}
