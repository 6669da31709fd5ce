const [width, height, left, right, top, bottom] = [688, 248, 46, 12, 12, 42];

/** Losses by epoch as a picture. */
export function lossCurve(losses: readonly number[]): string {
  const most = Math.ceil(Math.max(...losses) * 2) / 2;
  const x = (epoch: number) => left + ((epoch - 1) / (losses.length - 1)) * (width - left - right);
  const y = (loss: number) => height - bottom - (loss / most) * (height - top - bottom);
  const parts: string[] = [];
  for (let loss = 0; loss <= most; loss += 0.5) {
    const at = y(loss).toFixed(1);
    parts.push(`<path class="grid" d="M${left} ${at}H${width - right}"/>`);
    parts.push(
      `<text x="${left - 8}" y="${(y(loss) + 4).toFixed(1)}" text-anchor="end">${loss.toFixed(1)}</text>`,
    );
  }
  for (let epoch = 5; epoch <= losses.length; epoch += 5) {
    const at = x(epoch).toFixed(1);
    parts.push(`<text x="${at}" y="${height - bottom + 18}" text-anchor="middle">${epoch}</text>`);
  }
  const points = losses.map((loss, i) => `${x(i + 1).toFixed(1)} ${y(loss).toFixed(1)}`);
  parts.push(`<path class="curve" d="M${points.join("L")}"/>`);
  for (const point of points) {
    const [cx, cy] = point.split(" ");
    parts.push(`<circle class="curve" cx="${cx}" cy="${cy}" r="3"/>`);
  }
  parts.push(`<text x="${left}" y="${height - 4}">times through the data \u2192</text>`);
  const label = `the loss falls from ${losses[0]!.toFixed(2)} to ${losses.at(-1)!.toFixed(3)}`;
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${parts.join("")}</svg>`;
}
