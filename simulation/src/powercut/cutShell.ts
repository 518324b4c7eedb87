/**
 * Power cuts: the disk as it was at a moment under load, and what of the acknowledged is on it.
 *
 * Life cycle of a cycle: a writer on a mounted image → some batches → SIGSTOP → the image is copied → the writer is
 * killed, the image thrown away → the copy is mounted, its journal recovered → the store is opened and compared with
 * what was acknowledged before the stop → the copy is the next cycle's disk. Invariant: the log of acknowledgements
 * is on another disk (in this process), and only what was heard before the copy counts as acknowledged.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type History, type Judgement, judge, newHistory } from "./history.ts";
import { lookInto } from "./lookShell.ts";
import { copyImage, makeImage, mountImage, unmount, withoutWriteback } from "./ports/mounts.ts";
import { startWriter, type Writer } from "./writerShell.ts";

const imageMebibytes = 96;
/** After these a disk of that size is nearly full, and a full one acknowledges nothing. */
const cutsOfADiskMax = 10;
const batchesMin = 20;
const batchesMax = 120;
const afterBeginMsMax = 12;
/** A stopped process's last line is in the pipe: it takes a turn of the loop to be read. */
const stopMs = 50;

export interface CutSettings {
  readonly cycles: number;
  /** A store that is less durable, to see that the cuts cut. */
  readonly weakened?: "off" | "normal";
  readonly say?: (line: string) => void;
}

export interface CutReport {
  readonly cuts: number;
  /** Copies on which the store opened. */
  readonly opened: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly phantom: number;
  /** In words, of all cuts. */
  readonly breaches: readonly string[];
}

const nothing: Judgement = { lost: 0, repeated: 0, reordered: 0, phantom: 0, breaches: [] };

export function runCuts(settings: CutSettings): Promise<CutReport> {
  return withoutWriteback(async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-powercut-"));
    try {
      return await cutAll(folder, settings);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

async function cutAll(folder: string, { cycles, weakened, say = () => {} }: CutSettings): Promise<CutReport> {
  let report: CutReport = { cuts: 0, opened: 0, acknowledged: 0, ...nothing };
  let disk = newDisk(folder);
  while (report.cuts < cycles && report.breaches.length === 0) {
    if (report.cuts > 0 && report.cuts % cutsOfADiskMax === 0) disk = newDisk(folder);
    const { history, image } = disk;
    const before = acknowledgedOf(history);
    await cutOnce(folder, image, history, weakened);
    const { isOpen, judgement } = await look(folder, image, history);
    const acknowledged = acknowledgedOf(history) - before;
    const idle = acknowledged > 0 ? [] : ["nothing was acknowledged before this cut: it cut nothing"];
    const breaches = [...judgement.breaches, ...idle];
    report = {
      cuts: report.cuts + 1,
      opened: report.opened + (isOpen ? 1 : 0),
      acknowledged: report.acknowledged + acknowledged,
      ...added(report, { ...judgement, breaches }),
    };
    say(
      `cut ${report.cuts}: ${history.acknowledged} acknowledged, ${history.begun} sent; ${breaches.join("; ") || "all there"}`,
    );
  }
  return report;
}

/** An empty one, and what is known of it. */
function newDisk(folder: string): { readonly history: History; readonly image: string } {
  return { history: newHistory(), image: makeImage(join(folder, "disk.img"), imageMebibytes) };
}

function acknowledgedOf({ acknowledged, tokensAcknowledged }: History): number {
  return acknowledged + tokensAcknowledged.size;
}

/** Leaves in `image` what the disk holds when the power fails. */
async function cutOnce(
  folder: string,
  image: string,
  history: History,
  weakened: CutSettings["weakened"],
): Promise<void> {
  const disk = mountImage(image, join(folder, "disk"));
  const copy = join(folder, "cut.img");
  let writer: Writer | undefined;
  try {
    const data = join(disk, "data");
    mkdirSync(data, { recursive: true });
    writer = startWriter(history, {
      folder: data,
      ...(history.open === undefined ? {} : { again: history.open }),
      ...weakening(weakened),
    });
    await writer.begun(batchesMin + Math.floor(Math.random() * (batchesMax - batchesMin)));
    await sleep(Math.random() * afterBeginMsMax);
    writer.signal("SIGSTOP");
    await sleep(stopMs);
    copyImage(image, copy);
  } finally {
    await writer?.kill();
    unmount(disk);
  }
  renameSync(copy, image);
}

function weakening(weakened: CutSettings["weakened"]) {
  if (weakened === undefined) return {};
  return {
    flags: ["--import", new URL("./weakenMain.ts", import.meta.url).href],
    environment: { POWERCUT_SYNCHRONOUS: weakened },
  };
}

async function look(
  folder: string,
  image: string,
  history: History,
): Promise<{ readonly isOpen: boolean; readonly judgement: Judgement }> {
  const disk = mountImage(image, join(folder, "disk"));
  try {
    return { isOpen: true, judgement: judge(history, await lookInto(join(disk, "data"))) };
  } catch (error) {
    const breach = `the store does not open: ${error instanceof Error ? error.message : String(error)}`;
    return { isOpen: false, judgement: { ...nothing, lost: history.acknowledged, breaches: [breach] } };
  } finally {
    unmount(disk);
  }
}

function added(sum: Judgement, one: Judgement): Judgement {
  return {
    lost: sum.lost + one.lost,
    repeated: sum.repeated + one.repeated,
    reordered: sum.reordered + one.reordered,
    phantom: sum.phantom + one.phantom,
    breaches: [...sum.breaches, ...one.breaches],
  };
}
