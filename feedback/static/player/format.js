// Milliseconds as "3:07", and texts with named placeholders.
export function clockTime(ms) {
  const seconds = Math.max(0, Math.round((ms || 0) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function interpolate(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_match, name) => values[name] ?? "");
}
