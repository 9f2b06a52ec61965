/** The newest kernel source among package names, a line for each. */
export declare function newestSource(names: string): string;
