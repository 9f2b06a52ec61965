/** One end of a byte stream to a `sh` that reads its commands from standard input. */
export interface ShellStream {
  write(text: string): void;
  onOutput(listener: (text: string) => void): void;
  onErrors(listener: (text: string) => void): void;
  /** Tells the listener the reason, if more is known than that the stream was closed. */
  onClose(listener: (why?: string) => void): void;
  close(): void;
}
