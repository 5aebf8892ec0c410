/** Draws curves as one SVG: a panel for each question, both axes logarithmic, a line for each contestant. */

/** One line of a panel. */
interface Series {
  readonly name: string;
  /** Sizes and figures, both above 0, in order of size. */
  readonly points: readonly (readonly [size: number, figure: number])[];
}

/** The same work at several sizes, by several contestants. */
export interface Panel {
  readonly title: string;
  /** What the figures are in, and which way is better: `events/s, more is better`. */
  readonly unit: string;
  readonly series: readonly Series[];
}

const columns = 3;
const width = 360;
const height = 260;
const margin = { left: 62, right: 16, top: 44, bottom: 64 } as const;
/** Told apart by hue and by lightness, for eyes and printers that see one of them. */
const colors = ["#0b5cad", "#d1622b", "#6f7a87", "#2b8a3e"] as const;
const font = "font-family='system-ui, sans-serif'";

/** The panels in rows of three, under a title. Series without points are left out. */
export function drawPanels(title: string, panels: readonly Panel[]): string {
  const rows = Math.ceil(panels.length / columns);
  const head = 40;
  const total = { width: columns * width, height: head + rows * height };
  const body = panels.map((panel, index) => {
    const x = (index % columns) * width;
    const y = head + Math.floor(index / columns) * height;
    return `<g transform="translate(${x} ${y})">${drawPanel(panel)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.width} ${total.height}" role="img" ${font}>`,
    `<title>${escape(title)}</title>`,
    `<rect width="${total.width}" height="${total.height}" fill="#ffffff"/>`,
    `<text x="${margin.left - 46}" y="26" font-size="16" font-weight="600" fill="#1c2733">${escape(title)}</text>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

function drawPanel({ title, unit, series }: Panel): string {
  const drawn = series.filter(({ points }) => points.length > 0);
  const points = drawn.flatMap((one) => one.points);
  const x = logScale(
    points.map(([size]) => size),
    margin.left,
    width - margin.right,
  );
  const y = logScale(
    points.map(([, figure]) => figure),
    height - margin.bottom,
    margin.top,
  );
  const lines = drawn.map(({ points: own }, index) => {
    const color = colors[index % colors.length];
    const places = own.map(([size, figure]) => [x.place(size), y.place(figure)] as const);
    const path = places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ");
    const dots = places.map(
      ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${color}"/>`,
    );
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}`;
  });
  return [
    `<text x="${margin.left - 46}" y="18" font-size="13" font-weight="600" fill="#1c2733">${escape(title)}</text>`,
    `<text x="${margin.left - 46}" y="33" font-size="11" fill="#5b6773">${escape(unit)}</text>`,
    ...x.ticks.map((tick) => verticalTick(x.place(tick), formatFigure(tick))),
    ...y.ticks.map((tick) => horizontalTick(y.place(tick), formatFigure(tick))),
    ...lines,
    ...drawn.map(({ name }, index) => legend(name, index)),
  ].join("\n");
}

interface Scale {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Powers of ten around the values, from one end of the axis to the other. */
function logScale(values: readonly number[], start: number, end: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const step = (end - start) / (high - low);
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { ticks, place: (value) => start + (Math.log10(value) - low) * step };
}

function verticalTick(at: number, text: string): string {
  const bottom = height - margin.bottom;
  return (
    `<line x1="${at}" y1="${margin.top}" x2="${at}" y2="${bottom}" stroke="#e6e9ed"/>` +
    `<text x="${at}" y="${bottom + 14}" font-size="10" fill="#5b6773" text-anchor="middle">${text}</text>`
  );
}

function horizontalTick(at: number, text: string): string {
  return (
    `<line x1="${margin.left}" y1="${at}" x2="${width - margin.right}" y2="${at}" stroke="#e6e9ed"/>` +
    `<text x="${margin.left - 6}" y="${at + 3}" font-size="10" fill="#5b6773" text-anchor="end">${text}</text>`
  );
}

function legend(name: string, index: number): string {
  const x = margin.left - 46 + (index % 2) * 160;
  const y = height - margin.bottom + 32 + Math.floor(index / 2) * 14;
  const color = colors[index % colors.length];
  return (
    `<rect x="${x}" y="${y - 8}" width="10" height="10" fill="${color}"/>` +
    `<text x="${x + 15}" y="${y + 1}" font-size="11" fill="#1c2733">${escape(name)}</text>`
  );
}

/** 10k, 1M, 0.1: short enough for an axis. */
function formatFigure(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  if (value >= 1e3) return `${value / 1e3}k`;
  return value >= 1 ? String(value) : value.toPrecision(1);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
