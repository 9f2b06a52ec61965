/** Folder for everything that is made once and outlives the checkout. It may not exist yet. */
export declare function cacheRoot(): string;
