package dev.weir.ir.kernel;

/**
 * A local of a kernel.
 *
 * @param name unique within the kernel
 * @param type of its value
 */
public record Variable(String name, Type type) {}
