import { PoolDrain } from "../../providers/index.js";
import type { MadeFrontend } from "./frontend.js";

/** Makes the ends of the drains of each director. They come after all directors have changed. */
export function poolDrains(frontends: readonly MadeFrontend[]): void {
  const dependsOn = frontends.flatMap(({ last }) => last);
  for (const { scope, pools } of frontends)
    for (const { virtualService, drains } of pools)
      if (drains)
        scope.make(
          PoolDrain,
          drains.label,
          { service: virtualService.id, realServers: drains.realServers } as never,
          dependsOn,
        );
}
