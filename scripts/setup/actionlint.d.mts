/** The linter of workflows, on PATH or in the cache. */
export declare function findActionlint(): string | undefined;
