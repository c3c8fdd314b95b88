// Draws the graph around one utterance. The table below it lists the same links.
'use strict';

(async () => {
  const place = document.getElementById('graph');
  const answer = await fetch(place.dataset.source, { headers: { Accept: 'application/json' } });
  if (!answer.ok) return;
  const { nodes, edges } = await answer.json();
  place.hidden = false;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const font = getComputedStyle(document.body).fontFamily;

  const look = () => [
    {
      selector: 'node',
      style: {
        label: 'data(label)', 'font-family': font, 'font-size': 20, color: colour('--ink'),
        'text-wrap': 'wrap', 'text-max-width': 230, 'text-valign': 'bottom', 'text-margin-y': 8,
        width: 30, height: 30, 'background-color': colour('--muted'),
        'border-width': 2, 'border-color': colour('--surface'),
        'text-background-color': colour('--surface'), 'text-background-opacity': 0.85, 'text-background-padding': 2,
      },
    },
    { selector: 'node[kind = "Utterance"]', style: { shape: 'round-rectangle', 'background-color': colour('--accent') } },
    { selector: 'node[kind = "Person"]', style: { 'background-color': colour('--ink') } },
    { selector: 'node[kind = "Session"]', style: { shape: 'hexagon' } },
    { selector: 'node[kind = "Distortion"]', style: { shape: 'diamond', 'background-color': colour('--high') } },
    { selector: 'node[kind = "Emotion"], node[kind = "Quadrant"]', style: { shape: 'ellipse', 'background-color': colour('--normal') } },
    { selector: 'node[?focus]', style: { width: 46, height: 46, 'border-color': colour('--focus'), 'border-width': 4, 'font-weight': 700 } },
    {
      selector: 'edge',
      style: {
        width: 2, 'line-color': colour('--line-strong'), 'target-arrow-color': colour('--line-strong'),
        'target-arrow-shape': 'triangle', 'curve-style': 'bezier',
        label: 'data(label)', 'font-family': font, 'font-size': 18, color: colour('--muted'),
        'text-background-color': colour('--surface'), 'text-background-opacity': 1, 'text-background-padding': 2,
      },
    },
  ];
  // Left to right as the record is made: person, session, what was said, what was found in it.
  const COLUMNS = { Person: 0, Session: 1, FormResponse: 1, Utterance: 2 };
  const columns = [[], [], [], []];
  for (const node of nodes) columns[COLUMNS[node.kind] ?? 3].push(node.id);
  const places = new Map();
  columns.forEach((ids, column) => ids.forEach((id, row) => {
    places.set(id, { x: column * 360, y: (row - (ids.length - 1) / 2) * 150 });
  }));
  const graph = cytoscape({
    container: place,
    elements: [...nodes.map((data) => ({ data })), ...edges.map((data) => ({ data }))],
    style: look(),
    layout: { name: 'preset', positions: (node) => places.get(node.id()), padding: 50 },
    userZoomingEnabled: false,
    autoungrabify: false,
  });
  dark.addEventListener('change', () => graph.style(look()));
  new ResizeObserver(() => { graph.resize(); graph.fit(undefined, 50); }).observe(place);
})();
