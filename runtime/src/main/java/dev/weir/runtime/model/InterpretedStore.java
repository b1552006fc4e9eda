package dev.weir.runtime.model;

import dev.weir.ir.tensor.Memory;

/** What one sequence remembers, as the interpreter keeps it: on the Java heap. */
final class InterpretedStore implements Store {
    private Memory memory;

    InterpretedStore(Memory memory) {
        this.memory = memory;
    }

    Memory memory() {
        return memory;
    }

    @Override
    public Store copy() {
        return new InterpretedStore(memory.copy());
    }

    @Override
    public Saved save() {
        return new Kept(memory.copy());
    }

    private final class Kept implements Saved {
        private final Memory then;

        Kept(Memory then) {
            this.then = then;
        }

        @Override
        public void restore() {
            memory = then.copy();
        }

        @Override
        public void close() {}
    }

    @Override
    public void stepped(long elements) {
        memory.stepped(elements);
    }

    @Override
    public boolean hasRowForEachElement() {
        return memory.hasRowForEachElement();
    }

    @Override
    public void truncate(long elements) {
        memory.truncate(elements);
    }

    @Override
    public void clear() {
        memory = new Memory();
    }

    @Override
    public void close() {
        memory = new Memory();
    }
}
