/** Light, dark, or as the system says: one button that goes through the three. */
import type { ReactNode } from "react";
import { Button } from "../shared/ui/Button.tsx";
import { MoonIcon, SunIcon, SystemIcon } from "../shared/ui/icons.tsx";
import { chooseTheme, type ThemeChoice, themeChoices, useThemeChoice } from "../shared/ui/theme.ts";

const names: Record<ThemeChoice, string> = { system: "as the system", light: "light", dark: "dark" };

export function ThemeToggle(): ReactNode {
  const choice = useThemeChoice();
  const next = themeChoices[(themeChoices.indexOf(choice) + 1) % themeChoices.length] ?? "system";
  return (
    <Button
      tone="quiet"
      data-testid="theme-toggle"
      data-theme={choice}
      aria-label={`Theme: ${names[choice]}. Change to ${names[next]}`}
      title={`Theme: ${names[choice]}`}
      onClick={() => chooseTheme(next)}
    >
      {choice === "system" ? <SystemIcon /> : choice === "light" ? <SunIcon /> : <MoonIcon />}
    </Button>
  );
}
