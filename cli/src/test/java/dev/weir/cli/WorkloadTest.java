package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** What a prompt and a generation have in common is the number of tokens only. */
class WorkloadTest {

    @Test
    void aPromptIsOneStep() {
        Workload prompt = Workload.prompt(128);
        assertEquals("pp128", prompt.text());
        assertEquals(1, prompt.steps());
        assertEquals(128, prompt.tokensOfStep());
    }

    @Test
    void aGenerationIsAStepForEachToken() {
        Workload generation = Workload.generation(64);
        assertEquals("tg64", generation.text());
        assertEquals(64, generation.steps());
        assertEquals(1, generation.tokensOfStep());
    }
}
