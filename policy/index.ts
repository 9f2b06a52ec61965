#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Policies, PolicyPack, type StackValidationPolicy } from "@pulumi/policy";
import type { Rule } from "./rule.js";
import { rules } from "./rules/index.js";
import { seenIn, seenOf } from "./stack.js";
import type { Bag } from "./view.js";

// The pack is a folder, or this file as a program (Pulumi 3.255). The library reads package.json of the working folder.
const { LVS_POLICY_BEFORE: path } = process.env;
const beforePath = path ? resolve(path) : undefined;
process.chdir(__dirname);

const policyOf = ({ name, description, level, severity, fields, check }: Rule): StackValidationPolicy => ({
  name,
  description,
  enforcementLevel: level,
  severity,
  configSchema: { properties: fields as Bag } as NonNullable<StackValidationPolicy["configSchema"]>,
  validateStack({ resources, stackTags, getConfig, notApplicable }, report) {
    if (name === "removed-weight" && beforePath === undefined)
      notApplicable("LVS_POLICY_BEFORE names no file of `pulumi stack export`");
    const before = beforePath === undefined ? {} : { before: seenIn(readFileSync(beforePath, "utf8")) };
    const view = { resources: seenOf(resources), tags: stackTags, ...before };
    for (const { message, urn } of check(view, getConfig<Bag>())) report(message, urn);
  },
});

new PolicyPack("pulumi-lvs", { policies: rules.map(policyOf) as Policies });
