/** The public API of the server: this list and nothing else. */
export { buildServer, type BuildServerOptions } from "./app.ts";
export {
  resolveSettings,
  type ResolvedSettings,
  type SettingsInput,
  type SettingSource,
} from "./config/resolve-settings.ts";
export type { Setting } from "./config/setting.ts";
export {
  flagOf,
  settingNames,
  settingTable,
  variableOf,
  type LogLevel,
  type Settings,
  type SomeSettings,
} from "./config/settings.ts";
export { startServer, type RunningServer, type StartServerOptions } from "./start.ts";
export type { Scope } from "./scopes.ts";
export type { LogTarget } from "./operations/logging.ts";
