/** Environment of every `pulumi` of tests and demo, on top of what is set already. */
export interface PulumiEnv {
  /** With the CLI first, if there is one, and then node_modules/.bin. */
  readonly PATH: string;
  readonly PULUMI_BACKEND_URL: string;
  readonly PULUMI_CONFIG_PASSPHRASE: string;
  readonly PULUMI_HOME: string;
  readonly PULUMI_SKIP_UPDATE_CHECK: string;
  readonly PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: string;
}

/** @param stateDir folder for the stacks, made if missing */
export declare function pulumiEnv(stateDir: string): PulumiEnv;

/** The same for `npm run demo`. */
export interface DemoEnv extends PulumiEnv {
  /** The lab's, with the hosts client, director, rs1 and rs2. */
  readonly LVS_SSH_CONFIG: string;
}

/** Folder of the demo's project: its stacks' configuration, states and logs. It may not exist yet. */
export declare function demoDir(): string;

/** Environment of the demo's project. */
export declare function demoEnv(): DemoEnv;
