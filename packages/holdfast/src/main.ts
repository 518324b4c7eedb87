#!/usr/bin/env node
/** `holdfast`, as a program. */
import { runProcess } from "./process.ts";

await runProcess(process.argv.slice(2));
