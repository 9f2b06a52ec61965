import { afterAll, expect, test } from "vitest";
import { commandsOf, type FaultKind, faultKinds } from "./harness/kinds.js";
import { booted, run, tearDown } from "./harness/machines.js";
import { killed, nothing } from "./harness/pulumi.js";
import { afterDrain, beforeDrain } from "./harness/stacks.js";
import { strike } from "./harness/strike.js";
import { alike, scenario } from "./harness/survive.js";
import { batchOf, refresh, up, type World } from "./harness/update.js";

afterAll(tearDown);

const replacing = async () =>
  scenario(await up({ images: booted, state: nothing }, await beforeDrain()), await afterDrain());

// nothing drains elsewhere
const onDirector = (kind: FaultKind): FaultKind => ({
  ...kind,
  places: (rounds) => kind.places(rounds).filter(({ machine }) => machine === "director"),
});

strike(
  "an update that replaces servers which drain survives that",
  replacing,
  // no two of its lines go in one bulk
  faultKinds.filter(({ title }) => title !== "the kernel refuses one line of many").map(onDirector),
);

/** Machines and state after the run was killed when both servers had just been quiesced. */
async function killedWhileDraining(): Promise<World & { before: World }> {
  const { start, reference } = await replacing();
  const place = commandsOf(reference.rounds).find(
    ({ round, machine, kind }) =>
      machine === "director" && kind === "step" && round.calls.some((call) => call.verb === "delete"),
  );
  if (!place) throw new Error("nothing is deleted");
  const { round } = place;
  let pause: ReturnType<import("../support/fake/fake-host.js").FakeHost["pauseStep"]> | undefined;
  const struck = await run(batchOf(round, "director"), {
    arm: (fake) => {
      pause = fake.pauseStep(place.n);
    },
    meanwhile: async (fake) => {
      await pause?.reached();
      fake.hangUp();
      pause?.go();
    },
  });
  return {
    before: start,
    images: { ...round.images, director: struck.image },
    state: killed(round.progress, round.calls),
  };
}

const director = ({ images }: World) => [
  ...(images.director.ipvs ?? "").split("\n").filter((line) => line.startsWith("-a")),
  ...(images.director["run/pulumi-lvs/draining"] ?? "").split("\n").filter(Boolean),
];

test("servers that were quiesced by a run that was killed, and are declared again, get their weights back by refresh and up", async () => {
  const world = await killedWhileDraining();
  const quiesced = director(world);
  expect(quiesced).toEqual([
    "-a -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w 0",
    "-a -t 192.168.0.210:80 -r 192.168.0.222:80 -g -w 0",
    "-a -t 192.168.0.210:80 -r 192.168.0.223:80 -g -w 1",
    "tcp://192.168.0.210:80\t192.168.0.221:80\t1769860800",
    "tcp://192.168.0.210:80\t192.168.0.222:80\t1769860800",
  ]);
  // Pulumi does not look at hosts by itself, and its state has them as they were
  const plain = await up(world, await beforeDrain());
  expect(director(plain)).toEqual(quiesced.filter((line) => !line.includes("223")));
  const seen = await refresh(world);
  const again = await up(seen, await beforeDrain());
  expect(again.errors).toEqual([]);
  alike(again.images, world.before.images, "after refresh and up with the servers back");
});
