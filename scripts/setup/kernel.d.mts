/** A User-Mode Linux kernel that was built with the options of this checkout. */
export interface Kernel {
  /** Version of the Debian package whose source it is. */
  readonly version: string;
  /** Folder with the executable `linux` and `modules.tar`, which holds lib/modules. */
  readonly dir: string;
}

/** The kernel in the cache; builds nothing. */
export declare function findKernel(): Kernel | undefined;
