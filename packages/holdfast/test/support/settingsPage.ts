/**
 * The handbook's page of all settings, made of the configuration's table, so that it never says anything else.
 *
 * Pure: table to text. What a setting means stands with it in `fields.ts`, and only the way of the layers here.
 */
import { environmentName, type Field, fields } from "../../src/config/fields.ts";

const groups: readonly (readonly [title: string, belongs: RegExp])[] = [
  ["Where the server is reached", /^(port|host|publicUrl|tls\..*|trustProxies|origins)$/],
  ["How it is run, and where it keeps what", /^(mode|data|database\..*)$/],
  ["Who signs in", /^(signIn\..*|printSignIn)$/],
  ["Agents of this machine", /^agents\./],
  ["Chat assistants", /^assistants\./],
  ["How long what is kept", /^retention\./],
  ["Log, metrics, alerts and flags", /^(log|metrics|alerts|flags)\./],
  ["How many may come how fast", /^admission\./],
];

const intro = `# Settings

For whoever runs Holdfast: every setting, where it is written, and what it does. This page is made of the program's own table
by \`npm run handbook\`, and a test keeps the two equal.

A setting has its default, unless \`config.json\` in the data folder names it (or another file, by \`--config\`), unless the
environment does, unless a flag does. An empty variable counts as unset. Whatever is misspelt, out of range or contradictory is
refused at the start in one sentence, exit 2. \`npm start -- --print-config\` shows each value and where it came from, with
secrets masked. In \`config.json\` a dot is a level: \`{ "log": { "level": "warn" } }\`. Lists are JSON lists there, and have commas
between them in a flag or variable.
`;

/** The whole page, with line end. Throws where a setting is in no group. */
export function settingsPage(table: readonly Field[] = fields): string {
  const lost = table.filter(({ path }) => !groups.some(([, belongs]) => belongs.test(path)));
  if (lost.length > 0) throw new Error(`in no group of the page: ${lost.map(({ path }) => path).join(", ")}`);
  const parts = groups.map(([title, belongs]) => {
    const rows = table.filter(({ path }) => belongs.test(path)).map(rowOf);
    return rows.length === 0
      ? ""
      : `\n## ${title}\n\n| setting | flag | variable | default | what |\n| --- | --- | --- | --- | --- |\n${rows.join("")}`;
  });
  return intro + parts.join("");
}

function rowOf(one: Field): string {
  const flag = one.flag === undefined ? "" : `\`--${one.flag}\``;
  const variables = [environmentName(one.path), ...(one.commonVariable === undefined ? [] : [one.commonVariable])];
  const cells = [
    `\`${one.path}\``,
    flag,
    variables.map((name) => `\`${name}\``).join(", "),
    defaultOf(one),
    one.sentence + (one.secret ? " Secret." : ""),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;")).join(" | ")} |\n`;
}

function defaultOf({ default: value, unit }: Field): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  return `\`${String(value)}\`${unit === undefined || unit === "TCP port" ? "" : ` ${unit}`}`;
}
