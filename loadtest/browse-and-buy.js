// Shoppers of twenty cities browse and some of them buy, all through the edge. `make loadtest` runs this with k6 and
// sets the variables below; docs/performance.md says what the figures mean.
import http from 'k6/http';
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { text } from './summary.js';

const edge = __ENV.EDGE_URL;
const regions = __ENV.REGIONS.split(',');
const visitsPerSecond = Number(__ENV.RATE);
const seconds = Number(__ENV.SECONDS);
// A short run checks that everything works: it judges failures and orders, but no times.
const short = __ENV.SHORT === 'true';
const cities = JSON.parse(open('./cities.json'));

// Of all who come, how many put something into a cart, and how many of those buy.
const cartShare = 0.6;
const buyShare = 0.6;
// A shopper reads so many products, and so long.
const productsRead = 3;
const thinkSeconds = { least: 0.1, most: 0.5 };

// How slow, in milliseconds, nineteen of twenty answers may be. Shop and k6 share this machine, so these catch what is
// broken, not what has become a little slower; `make bench` measures that.
const p95Limits = { catalog_read: 250, cart_add: 500, checkout: 1500 };

const times = {
  catalog_read: new Trend('catalog_read', true),
  cart_add: new Trend('cart_add', true),
  checkout: new Trend('checkout', true),
};
const edgeHits = new Rate('edge_hits');
const orders = new Counter('orders');
const soldOut = new Counter('sold_out');

function thresholds() {
  const all = {
    http_req_failed: ['rate<0.01'],
    checks: ['rate>0.99'],
    // A visit is dropped when every shopper that k6 has is still busy: the shop is slower than its visitors come.
    dropped_iterations: [`count<${Math.max(1, visitsPerSecond * seconds * 0.05)}`],
    edge_hits: ['rate>0'],
    orders: ['count>0'],
    sold_out: ['count>=0'],
  };
  if (short) {
    all.dropped_iterations = ['count>=0'];
  }
  // A threshold makes k6 keep a figure of its own for the tag, which the table then shows.
  for (const kind of Object.keys(times)) {
    for (const region of regions) {
      // A median of 0 is that of no answer at all: then a region has not taken part.
      all[`${kind}{region:${region}}`] = short ? ['med>=0'] : [`p(95)<${p95Limits[kind]}`, 'med>0'];
    }
  }
  return all;
}

export const options = {
  scenarios: {
    visits: {
      executor: 'constant-arrival-rate', rate: visitsPerSecond, timeUnit: '1s', duration: `${seconds}s`,
      preAllocatedVUs: visitsPerSecond * 5, maxVUs: visitsPerSecond * 15,
    },
  },
  thresholds: thresholds(),
  summaryTrendStats: ['count', 'med', 'p(95)', 'p(99)', 'max'],
  userAgent: 'meridian-loadtest',
};

// setup reads what the shop sells, so that it works with any catalog.
export function setup() {
  const slugs = [];
  for (let cursor = ''; slugs.length < 500; ) {
    const answer = http.get(`${edge}/api/v1/products?limit=100&cursor=${cursor}`);
    if (answer.status !== 200) {
      exec.test.abort(`the product list answers ${answer.status}: ${answer.body}`);
    }
    const page = answer.json();
    page.items.filter((item) => item.stock === 'in_stock').forEach((item) => slugs.push(item.slug));
    cursor = page.next_cursor;
    if (!cursor) {
      break;
    }
  }
  if (slugs.length === 0) {
    exec.test.abort('the shop has nothing in stock: fill it with `meridian seed`');
  }
  return { slugs };
}

export default function visit({ slugs }) {
  const shopper = { city: draw(cities), cart: '' };
  const found = browse(shopper, slugs);
  if (found.length === 0 || Math.random() >= cartShare) {
    return;
  }
  for (const sku of found.slice(0, 2)) {
    addToCart(shopper, sku);
    think();
  }
  if (shopper.cart && Math.random() < buyShare) {
    buy(shopper);
  }
}

// browse reads the categories, one list and some products, and gives SKUs that are in stock.
function browse(shopper, slugs) {
  const tree = read(shopper, '/api/v1/categories', 'categories');
  think();
  // Most look at the front page, the rest into a category.
  const shelf = tree && tree.items && tree.items.length > 0 && Math.random() < 0.4 ? `&category=${pick(tree.items).slug}` : '';
  read(shopper, `/api/v1/products?limit=20${shelf}`, 'list');
  const found = [];
  for (let i = 0; i < productsRead; i++) {
    think();
    // Popular products are read more often than others, as in any shop: the square favours the first.
    const slug = slugs[Math.floor(Math.random() ** 2 * slugs.length)];
    const product = read(shopper, `/api/v1/products/${slug}`, 'product');
    const variant = product && product.variants.find((v) => v.stock === 'in_stock' && v.price);
    if (variant && !found.includes(variant.sku)) {
      found.push(variant.sku);
    }
  }
  return found;
}

function read(shopper, path, name) {
  const answer = http.get(edge + path, params(shopper, name));
  record('catalog_read', answer);
  edgeHits.add(answer.headers['X-Cache'] === 'HIT');
  return expect(answer, name, 200) ? answer.json() : null;
}

function addToCart(shopper, sku) {
  const answer = http.post(`${edge}/api/v1/cart/items`, JSON.stringify({ sku, quantity: 1 }), params(shopper, 'cart_add'));
  record('cart_add', answer);
  if (expect(answer, 'add to cart', 200)) {
    shopper.cart = answer.headers['X-Cart-Id'] || shopper.cart;
    check(answer, { 'the cart holds what was added': (r) => r.json().lines.some((line) => line.sku === sku) });
  }
}

function buy(shopper) {
  const destination = {
    shipping_address: { name: 'Load Test', line1: '1 Main Street', city: 'Anywhere', postal_code: '10000', country: shopper.city.country },
    shipping_method: 'standard',
  };
  const quoted = http.post(`${edge}/api/v1/checkout/quote`, JSON.stringify(destination), params(shopper, 'quote'));
  if (!expect(quoted, 'quote', 200)) {
    return;
  }
  think();
  const request = Object.assign({ payment: { token: 'tok_visa' }, email: 'loadtest@example.test', quote: quoted.json().quote }, destination);
  const more = params(shopper, 'checkout');
  more.headers['Idempotency-Key'] = `load-${exec.scenario.iterationInTest}-${Date.now()}`;
  // The last one may be bought by somebody else between page and till, which is the shop at its work.
  more.responseCallback = http.expectedStatuses(201, 202, 409);
  const answer = http.post(`${edge}/api/v1/checkout`, JSON.stringify(request), more);
  record('checkout', answer);
  if (answer.status === 409 && String(answer.json().type).endsWith('out-of-stock')) {
    soldOut.add(1);
    return;
  }
  if (!expect(answer, 'checkout', 201, 202)) {
    return;
  }
  const order = answer.status === 202 ? settled(shopper, answer) : answer.json();
  if (check(order, { 'the order is confirmed at the quoted total': (o) => o && o.status === 'confirmed' && o.total.amount === quoted.json().total.amount })) {
    orders.add(1);
  }
}

// settled follows an order that was not decided in time.
function settled(shopper, accepted) {
  for (let i = 0; i < 10; i++) {
    sleep(1);
    const answer = http.get(edge + accepted.headers.Location, params(shopper, 'order'));
    if (answer.status === 200 && answer.json().status !== 'pending') {
      return answer.json();
    }
  }
  return null;
}

function params(shopper, name) {
  const headers = { 'X-Edge-Location': shopper.city.iata, 'Content-Type': 'application/json' };
  if (shopper.cart) {
    headers['X-Cart-Id'] = shopper.cart;
  }
  return { headers, tags: { name } };
}

function record(kind, answer) {
  times[kind].add(answer.timings.duration, { region: answer.headers['X-Region'] || 'none' });
}

function expect(answer, what, ...statuses) {
  return check(answer, { [`${what} answers ${statuses.join(' or ')}`]: (r) => statuses.includes(r.status) });
}

function think() {
  sleep(thinkSeconds.least + Math.random() * (thinkSeconds.most - thinkSeconds.least));
}

const totalWeight = cities.reduce((sum, city) => sum + city.weight, 0);

function draw(weighted) {
  let left = Math.random() * totalWeight;
  return weighted.find((one) => (left -= one.weight) < 0) || weighted[0];
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}

export function handleSummary(data) {
  const outputs = { stdout: text(data, regions, Object.keys(times)) + (short ? 'Short run: no times are judged.\n' : '') };
  if (__ENV.JSON_FILE) {
    outputs[__ENV.JSON_FILE] = JSON.stringify(data, null, 2);
  }
  return outputs;
}
