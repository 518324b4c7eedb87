/** Numbers with their noun: `1 line`, `4,213 lines`. */
export function count(value: number, one: string, many: string = `${one}s`): string {
  return `${value.toLocaleString("en-GB")} ${value === 1 ? one : many}`;
}
