/** The environment variable that says that Pulumi runs to roll an update back. */
export const rollingBack = "PULUMI_LVS_ROLLBACK";

/** Returns whether this operation is part of a rollback. */
export const isRollingBack = (): boolean => process.env[rollingBack] !== undefined;
