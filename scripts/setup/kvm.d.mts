/** Whether QEMU can use the CPU itself. */
export declare function hasKvm(): boolean;
