/** Configuring assistants, and what becomes of a key. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { keyContext, openKey, publicKeyOf, sealKey } from "../contract/sealedKey.ts";
import { openControl, person, refusal } from "./support/control.ts";

const admin = { ...person(), role: "admin" as const };
const key = "sk-live-0123456789abcdef";
const settings = { name: "Kelp", endpoint: "https://api.example.com/v1/", model: "small" };

async function hosted() {
  const control = await openControl();
  const secret = randomBytes(32);
  await control.call("assistant.host", { publicKey: publicKeyOf(secret) }, admin);
  const open = async (endpoint = "https://api.example.com/v1") => {
    const [item] = (await control.call("assistant.hosted", {}, admin)).items;
    return openKey(item?.sealedKey ?? "", secret, keyContext(item?.id ?? "", endpoint));
  };
  return { control, secret, open };
}

it("keeps a key that only the assistants' process can open, and tells it to nobody", async () => {
  const { control, open } = await hosted();
  const { assistant } = await control.call("assistant.create", { ...settings, key }, admin);
  expect(assistant).toMatchObject({
    id: "assistant",
    name: "Kelp",
    endpoint: "https://api.example.com/v1",
    hasKey: true,
  });
  expect(await open()).toBe(key);
  const everything = JSON.stringify([
    await control.events("assistants"),
    await control.call("assistant.list", {}, admin),
    await control.call("assistant.hosted", {}, admin),
    await control.db.selectFrom("assistants").selectAll().execute(),
    await control.db.selectFrom("assistant_hosts").selectAll().execute(),
  ]);
  expect(everything).not.toContain(key);
  expect(everything).not.toContain(Buffer.from(key).toString("base64"));
});

it("binds a key to its assistant and its endpoint's origin: another address needs it anew", async () => {
  const { control, open, secret } = await hosted();
  const { assistant } = await control.call("assistant.create", { ...settings, key }, admin);
  await expect(open("https://evil.example.com/v1")).rejects.toThrow();
  const other = sealKey(key, publicKeyOf(secret), keyContext("another", settings.endpoint), randomBytes);
  expect(() => openKey(other, secret, keyContext(assistant.id, settings.endpoint))).toThrow();
  const same = await control.call(
    "assistant.change",
    { assistant: assistant.id, endpoint: "https://api.example.com/v2", model: "large" },
    admin,
  );
  expect(same.assistant).toMatchObject({ hasKey: true, model: "large" });
  expect(await open("https://api.example.com/v2")).toBe(key);
  const moved = await control.call(
    "assistant.change",
    { assistant: assistant.id, endpoint: "https://evil.example.com/v1" },
    admin,
  );
  expect(moved.assistant.hasKey).toBe(false);
});

it("refuses a key while there is nobody to encrypt it for", async () => {
  const control = await openControl();
  expect(await refusal(control.call("assistant.create", { ...settings, key }, admin))).toBe("conflict");
  expect(await control.call("assistant.list", {}, admin)).toEqual({ items: [], canKeepKeys: false });
  expect((await control.call("assistant.create", settings, admin)).assistant.hasKey).toBe(false);
});

it("is asked in words where something is wrong, and tells of each change", async () => {
  const { control } = await hosted();
  await control.call("assistant.create", settings, admin);
  expect(await refusal(control.call("assistant.create", settings, admin))).toBe("conflict");
  const second = await control.call("assistant.create", { ...settings, name: "Reef" }, admin);
  expect(second.assistant.id).not.toBe("assistant");
  const secretInAddress = { ...settings, name: "x", endpoint: "https://user:pass@api.example.com/v1" };
  expect(await refusal(control.call("assistant.create", secretInAddress, admin))).toBe("invalid_params");
  await control.call("assistant.remove", { assistant: "assistant" }, admin);
  expect(await refusal(control.call("assistant.remove", { assistant: "assistant" }, admin))).toBe("not_found");
  expect(await refusal(control.call("assistant.change", { assistant: "assistant", name: "y" }, admin))).toBe(
    "not_found",
  );
  expect((await control.events("assistants")).map(({ event }) => event)).toEqual([
    "assistant.changed",
    "assistant.changed",
    "assistant.removed",
  ]);
  expect(await control.snapshot("assistants")).toMatchObject({ assistants: [{ name: "Reef" }] });
});
