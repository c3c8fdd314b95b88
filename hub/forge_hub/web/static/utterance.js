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
        label: 'data(label)', 'font-family': font, 'font-size': 16, color: colour('--ink'),
        'text-wrap': 'wrap', 'text-max-width': 190, 'text-valign': 'bottom', 'text-margin-y': 8,
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
        label: 'data(label)', 'font-family': font, 'font-size': 14, color: colour('--muted'),
        'text-background-color': colour('--surface'), 'text-background-opacity': 1, 'text-background-padding': 2,
      },
    },
  ];
  const graph = cytoscape({
    container: place,
    elements: [...nodes.map((data) => ({ data })), ...edges.map((data) => ({ data }))],
    style: look(),
    layout: {
      name: 'concentric', animate: false, padding: 50, minNodeSpacing: 110,
      concentric: (node) => (node.data('focus') ? 2 : 1), levelWidth: () => 1,
    },
    userZoomingEnabled: false,
    autoungrabify: false,
  });
  dark.addEventListener('change', () => graph.style(look()));
  new ResizeObserver(() => { graph.resize(); graph.fit(undefined, 50); }).observe(place);
})();
