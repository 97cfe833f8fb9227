// What `make loadtest` prints at its end: a table by region, then every threshold that was missed.

export function text(data, regions, kinds) {
  const lines = ['', row('region', 'request', 'count', 'p50', 'p95', 'p99', 'max')];
  for (const region of regions) {
    for (const kind of kinds) {
      const figures = data.metrics[`${kind}{region:${region}}`];
      lines.push(row(region, kind.replace('_', ' '), ...(figures ? columns(figures.values) : ['0', '-', '-', '-', '-'])));
    }
  }
  lines.push('', ...totals(data.metrics), '', ...verdict(data.metrics), '');
  return lines.join('\n');
}

function row(region, kind, ...figures) {
  return region.padEnd(16) + kind.padEnd(14) + figures.map((figure) => figure.padStart(10)).join('');
}

function columns(values) {
  return [String(values.count), ...['med', 'p(95)', 'p(99)', 'max'].map((name) => `${values[name].toFixed(1)} ms`)];
}

function totals(metrics) {
  const of = (name, figure) => (metrics[name] ? metrics[name].values[figure] : 0);
  const percent = (share) => `${(100 * share).toFixed(2)} %`;
  return [
    `${of('iterations', 'count')} visits, ${of('orders', 'count')} orders, ${of('sold_out', 'count')} sold out; ` +
      `${of('http_reqs', 'count')} requests, ${of('http_reqs', 'rate').toFixed(0)} a second, ${percent(of('http_req_failed', 'rate'))} failed; ` +
      `${percent(of('checks', 'rate'))} of checks passed; ${percent(of('edge_hits', 'rate'))} of catalog reads hit the edge's cache`,
  ];
}

function verdict(metrics) {
  const missed = [];
  let held = 0;
  for (const [name, metric] of Object.entries(metrics)) {
    for (const [limit, result] of Object.entries(metric.thresholds || {})) {
      if (result.ok) {
        held++;
      } else {
        missed.push(`MISSED  ${name}: ${limit}`);
      }
    }
  }
  return [...missed, missed.length === 0 ? `All ${held} thresholds held.` : `${missed.length} of ${held + missed.length} thresholds were missed.`];
}
