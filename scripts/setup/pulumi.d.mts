/** A Pulumi CLI together with what it needs for TypeScript programs and dynamic resources. */
export interface Pulumi {
  /** Folder of the executable `pulumi`. */
  readonly bin: string;
  /** Such as "3.258.0". */
  readonly version: string;
}

/** The CLI of $PULUMI_LVS_PULUMI (a file or its folder), of PATH or of the cache; installs nothing. */
export declare function findPulumi(): Pulumi | undefined;

/** The same, after downloading or building the CLI where there is none; rejects with one line that says what is missing. */
export declare function installPulumi(): Promise<Pulumi>;
