import { run } from "../../test/support/machines/lab.mts";
import { Failure } from "./failure.mts";
import { show, step } from "./output.mts";

const calls = 6;

/** Calls a VIP from the client machine, shows who answered each time and returns the count. */
export const call = async (vip: string): Promise<string> => {
  const script = `for i in $(seq ${calls}); do curl -fsS -m 5 http://${vip}/ || exit; done`;
  const { code, stdout, stderr } = await step(`client: curl http://${vip}/, ${calls} times`, () =>
    run("client", script, { allowFailure: true }),
  );
  const answers = stdout.split("\n").filter((line) => line !== "");
  if (code !== 0) throw new Failure(`no answer from ${vip} to the client`, [...answers, stderr.trim()]);
  const strangers = answers.filter((answer) => !/^rs[12]$/.test(answer));
  if (strangers.length > 0) throw new Failure(`it is no real server that answers at ${vip}`, strangers);
  const count = ["rs1", "rs2"]
    .map((server) => `${server} ${answers.filter((answer) => answer === server).length}`)
    .join(", ");
  show([answers.map((answer, index) => `${index + 1} ${answer}`).join("   "), `answered: ${count}`]);
  return count;
};

/** Shows the director's table. */
export const showTable = async (): Promise<void> => {
  const { stdout } = await step("director: ipvsadm -Ln", () => run("director", "ipvsadm -Ln"));
  // the first line has the version of the code
  show(stdout.trimEnd().split("\n").slice(1));
};
