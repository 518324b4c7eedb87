/**
 * One step of a plan happens: what people do, and what goes wrong.
 *
 * Each fault says when it took effect, or has whoever feels it say so; what ends by itself is ended here, and
 * `heal` ends everything else. A step that concerns nobody any more (the page is closed) does nothing.
 */
import { unreachable } from "@holdfast/protocol";
import type { Person } from "../actors/person.ts";
import { visit } from "../actors/stranger.ts";
import type { ServerProcess } from "../world/serverProcess.ts";
import type { World } from "../world/world.ts";
import type { Step } from "./plan.ts";

const restartMs = 500;
/** An opening that was under way when all was healed has been answered. */
const refusedMsMax = 10_000;

export function perform(world: World, step: Step): void {
  switch (step.kind) {
    case "publish":
      living(world, step.who)?.publish(step.stream, step.count, step.poisonAt, step.padBytes);
      if (step.poisonAt !== undefined) world.effect("poison", step.who);
      return;
    case "request":
      living(world, step.who)?.request(step.method, step.lane, step.isDurable === true);
      return;
    case "count":
      living(world, step.who)?.count();
      return;
    case "signal":
      living(world, step.who)?.signal(step.stream);
      return;
    case "read":
      living(world, step.who)?.read(step.stream, step.from);
      return;
    case "lookBack":
      living(world, step.who)?.lookBack();
      return;
    case "reconnect":
      living(world, step.who)?.reconnect();
      return;
    case "hint":
      living(world, step.who)?.hint(step.hint);
      return;
    case "cut":
      cut(world, step);
      return;
    case "shut":
      shut(world, step);
      return;
    case "slow":
      slow(world, step);
      return;
    case "narrow":
      narrow(world, step);
      return;
    case "stall":
      stall(world, step);
      return;
    case "unreachable": {
      const person = world.machine(step.who);
      if (person === undefined) return;
      person.path.isUnreachable = true;
      if (!person.isOpen) world.effect("unreachable", step.who);
      later(world, step.ms, () => {
        person.path.isUnreachable = false;
      });
      return;
    }
    case "crash":
      crash(world, step);
      return;
    case "stopServer": {
      const node = nodeOf(world, step.node);
      if (node?.isAlive !== true) return;
      world.effect("serverStopped");
      node.process.stop(step.ms, true);
      return;
    }
    case "drain":
      drain(world, step);
      return;
    case "storeDown":
      world.storeWeather.isDown = true;
      dependency(world, "store", false);
      later(world, step.ms, () => {
        world.storeWeather.isDown = false;
        dependency(world, "store", true);
      });
      return;
    case "storeSlow":
      world.storeWeather.latencyMs = step.latencyMs;
      later(world, step.ms, () => {
        world.storeWeather.latencyMs = world.plan.storeLatencyMs;
      });
      return;
    case "storeHang":
      world.storeWeather.hangsUntil = world.scheduler.now + step.ms;
      return;
    case "diskFull":
      world.storeWeather.isFull = true;
      later(world, step.ms, () => {
        world.storeWeather.isFull = false;
      });
      return;
    case "unreadable":
      world.storeWeather.unreadable = step.stream;
      later(world, step.ms, () => {
        world.storeWeather.unreadable = undefined;
      });
      return;
    case "unknownCommit":
      world.storeWeather.unknownCommits.push(step.how);
      return;
    case "busSilence":
      world.busWeather.isSilent = true;
      later(world, step.ms, () => {
        world.busWeather.isSilent = false;
        world.bus.returned();
      });
      return;
    case "clockJump":
      clockJump(world, step);
      return;
    case "sleep": {
      const machine = world.machine(step.who);
      if (machine?.process.isAlive !== true || machine.process.isStopped) return;
      const sleep = (): void => {
        if (!machine.process.isAlive || machine.process.isStopped) return;
        world.effect("sleep", step.who);
        machine.process.stop(step.ms, step.isCounted);
      };
      if (step.isAfterPing === true) machine.path.afterPing = sleep;
      else sleep();
      return;
    }
    case "throttle": {
      const person = living(world, step.who);
      if (person === undefined) return;
      const { process } = person;
      world.effect("throttledTimers", step.who);
      process.throttleMs = step.everyMs;
      person.hint("hidden");
      later(world, step.ms, () => {
        process.throttleMs = 1;
        if (process.isAlive && person.process === process) person.hint("visible");
      });
      return;
    }
    case "issuerDown":
      world.issuer.isReachable = false;
      later(world, step.ms, () => {
        world.issuer.isReachable = true;
      });
      return;
    case "rotateKey":
      world.issuer.signingKey += 1;
      return;
    case "command": {
      const id = world.agent(step.agent)?.id;
      if (id !== undefined) living(world, step.who)?.command(id);
      return;
    }
    case "agentCrash": {
      const agent = world.agent(step.agent);
      if (agent?.process.isAlive !== true) return;
      world.effect("agentCrash");
      agent.kill(step.isSilent);
      later(world, step.backMs, () => agent.start());
      return;
    }
    case "claimTrap": {
      const agent = world.agent(step.agent);
      if (agent !== undefined) agent.trap = step.trap;
      return;
    }
    case "twin": {
      const agent = world.agent(step.agent);
      if (agent?.process.isAlive !== true || agent.process.isStopped) return;
      world.effect("agentTwin");
      agent.twin(step.ms);
      return;
    }
    case "revoke": {
      const person = living(world, step.who);
      if (person?.isOpen !== true || person.token === undefined || person.browser !== undefined) return;
      world.effect("revoked", step.who);
      person.revoke();
      return;
    }
    case "newIdentity": {
      const person = living(world, step.who);
      // A page that was never told who it is cannot be told that it is another.
      if (person?.isOpen !== true || person.browser !== undefined) return;
      person.identity = { id: step.id, role: person.plan.role, workspace: step.workspace };
      return;
    }
    case "hostile":
      visit(world, step.piece, step.at);
      return;
    case "oldClient":
      visit(world, "old", step.at);
      return;
    case "leaderDies": {
      const leader = world.people.find(
        ({ browser, process }) => browser?.name === step.browser && browser.leader === process && process.isAlive,
      );
      if (leader === undefined) return;
      world.effect("leaderDied", leader.plan.name);
      leader.end(false);
      later(world, step.backMs, () => leader.restart());
      return;
    }
    case "backUp":
      void world.backUp();
      return;
    case "restore":
      restore(world, true);
      return;
    case "failOver":
      // What was not decided yet would take the freed offsets before everybody has seen that they are free.
      if (world.people.every(({ outbox, undecidedBytes }) => outbox === 0 && undecidedBytes === 0))
        restore(world, false);
      return;
    case "closePage": {
      const person = living(world, step.who);
      if (person === undefined) return;
      world.effect(step.backMs < 1_000 ? "reload" : "tabClosed", step.who);
      person.end(step.isSilent);
      later(world, step.backMs, () => person.restart());
      return;
    }
    default:
      unreachable(step);
  }
}

/** From now on nothing is wrong any more (I10). */
export function heal(world: World): void {
  const { storeWeather, busWeather, issuer, plan } = world;
  Object.assign(storeWeather, {
    latencyMs: plan.storeLatencyMs,
    isDown: false,
    hangsUntil: 0,
    isFull: false,
    unreadable: undefined,
    crash: undefined,
  });
  storeWeather.unknownCommits.length = 0;
  busWeather.isSilent = false;
  world.bus.returned();
  issuer.isReachable = true;
  for (const node of world.nodes) {
    node.heldUntil = 0;
    node.process.skewMs = node.skewMs;
    node.process.continue();
    node.writesLeft = undefined;
    node.start();
  }
  for (const { path, plan: normal, process } of world.machines) {
    path.isUnreachable = false;
    path.afterPing = undefined;
    Object.assign(path.up, { latencyMs: normal.latencyMs, bytesPerMs: Number.POSITIVE_INFINITY });
    Object.assign(path.down, { latencyMs: normal.latencyMs, bytesPerMs: Number.POSITIVE_INFINITY });
    for (const connection of world.network.of(path)) connection.stall(false);
    world.network.shut(path, "both", false);
    process.throttleMs = 1;
    process.continue();
  }
  for (const agent of world.agents) {
    agent.trap = undefined;
    agent.isHurried = true;
    agent.start();
  }
  for (const person of world.people) {
    reloadWhereStopped(person);
    person.restart();
    // The machine tells its pages that the network is there again (CL-5).
    person.hint("online");
  }
  // Whoever was just coming with what was revoked before has heard so by now.
  later(world, refusedMsMax, () => {
    for (const person of world.people) {
      reloadWhereStopped(person);
      person.restart();
    }
  });
}

/**
 * Who was refused for good (revoked, or by a server whose clock was wrong) loads the page again, once all is well; and so
 * does who signs in to a page of somebody else.
 */
function reloadWhereStopped(person: Person): void {
  const isStopped = person.session.state.kind === "stopped";
  if (person.process.isAlive && (isStopped || person.isAnothers)) person.end(false);
}

function living(world: World, name: string): Person | undefined {
  const person = world.person(name);
  return person?.process.isAlive === true && !person.process.isStopped ? person : undefined;
}

function nodeOf(world: World, name: string): ServerProcess | undefined {
  return world.nodes.find((node) => node.name === name);
}

function later(world: World, ms: number, run: () => void): void {
  world.later(ms, run);
}

function dependency(world: World, name: "store" | "bus" | "issuer", isHealthy: boolean): void {
  world.observe({ kind: "dependency", at: world.scheduler.now, name, isHealthy });
}

function cut(world: World, { who, seenBy }: Extract<Step, { kind: "cut" }>): void {
  const person = world.machine(who);
  if (person === undefined) return;
  for (const connection of world.network.of(person.path)) {
    if (!connection.isAlive) continue;
    world.effect(seenBy === "both" ? "cut" : "cutSeenByOneSide", who);
    // Whoever does not see it waits for silence to tell.
    person.path.shutAt = world.scheduler.now;
    connection.cut(seenBy);
  }
}

function shut(world: World, { who, ways, ms }: Extract<Step, { kind: "shut" }>): void {
  const person = world.machine(who);
  if (person === undefined) return;
  if (person.isOpen) {
    if (ways !== "down") world.effect("halfOpenUp", who);
    if (ways !== "up") world.effect("halfOpenDown", who);
  }
  world.network.shut(person.path, ways, true);
  later(world, ms, () => world.network.shut(person.path, "both", false));
}

function slow(world: World, { who, latencyMs, ms }: Extract<Step, { kind: "slow" }>): void {
  const person = world.machine(who);
  if (person === undefined) return;
  const { up, down } = person.path;
  if (person.isOpen) world.effect("latency", who);
  up.latencyMs = latencyMs;
  down.latencyMs = latencyMs;
  person.path.shutAt = world.scheduler.now + ms;
  later(world, ms, () => {
    up.latencyMs = person.plan.latencyMs;
    down.latencyMs = person.plan.latencyMs;
  });
}

function narrow(world: World, { who, bytesPerMs, ms }: Extract<Step, { kind: "narrow" }>): void {
  const person = world.machine(who);
  if (person === undefined) return;
  const { down } = person.path;
  if (person.isOpen) world.effect("slowReader", who);
  down.bytesPerMs = bytesPerMs;
  person.path.shutAt = world.scheduler.now + ms;
  later(world, ms, () => {
    down.bytesPerMs = Number.POSITIVE_INFINITY;
  });
}

function stall(world: World, { who, ms }: Extract<Step, { kind: "stall" }>): void {
  const person = world.person(who);
  const connection = (person?.browser?.transport ?? person?.transport)?.current;
  if (person === undefined || connection?.isOpen !== true) return;
  world.effect("stalledReader", who);
  person.path.shutAt = world.scheduler.now + ms;
  connection.stall(true);
  later(world, ms, () => connection.stall(false));
}

function crash(world: World, { node: name, point, downMs, isSilent }: Extract<Step, { kind: "crash" }>): void {
  const node = nodeOf(world, name);
  if (node === undefined) return;
  node.heldUntil = world.scheduler.now + downMs;
  if (point !== "now") {
    world.storeWeather.crash = point;
    return;
  }
  if (!node.isAlive) return;
  world.effect("serverCrash");
  node.kill(isSilent);
  if (isSilent) for (const { path } of world.machines) path.shutAt = world.scheduler.now;
  node.restartIn(restartMs);
}

/** The nodes are stopped, an older image is put back, under new epochs or as it is, and the nodes are started again. */
function restore(world: World, isRenewed: boolean): void {
  if (world.image === undefined) return;
  world.effect(isRenewed ? "rollback" : "failover");
  // What was under way is lost with the nodes: an answer of the former history would be one too late.
  for (const connection of world.network.connections) connection.cut("both");
  for (const node of world.nodes) node.kill(false);
  void world.restore(isRenewed).then(() => {
    for (const node of world.nodes) node.restartIn(restartMs);
  });
}

function drain(world: World, { node: name, downMs }: Extract<Step, { kind: "drain" }>): void {
  const node = nodeOf(world, name);
  if (node?.isListening !== true) return;
  world.effect("drain");
  node.heldUntil = world.scheduler.now + downMs;
  node.drain().then(
    () => node.restartIn(restartMs),
    () => node.restartIn(restartMs),
  );
}

function clockJump(world: World, { who, ms }: Extract<Step, { kind: "clockJump" }>): void {
  const person = world.machine(who);
  const node = nodeOf(world, who);
  if (person !== undefined) person.process.skewMs += ms;
  if (node !== undefined) {
    node.process.skewMs += ms;
    // Whoever judges an end by a wrong clock is wrong: until it is right again there is none to be kept.
    for (const { client } of world.people)
      world.observe({ kind: "authorised", at: world.scheduler.now, client, until: null });
  }
  world.effect("clockJump", person === undefined ? undefined : who);
}
