-- What every change of a cart has in common; each change's own script follows it.
-- KEYS: the cart, the outbox and the idle set of its slot.
-- ARGV: 1 cart id, 2 now (ms), 3 time to live (ms), 4 tombstones kept, 5 event id, 6 traceparent; then the script's own.
-- Answers: {outcome, the cart's fields}.
local CART, OUTBOX, IDLE = KEYS[1], KEYS[2], KEYS[3]
local ID, NOW, TTL, TOMBSTONES, EVENT, TRACE = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]

local function whole(n) return string.format('%d', n) end

-- load gives the cart, nil when there is none.
local function load()
  local flat = redis.call('HGETALL', CART)
  if #flat == 0 then return nil end
  local cart = { lines = {}, orders = {}, live = 0, changed = {} }
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    local kind, name = field:sub(1, 2), field:sub(3)
    if kind == 'l:' then
      local quantity, version, added = value:match('^(%d+)|(%d+)|(%d+)$')
      cart.lines[name] = { quantity = tonumber(quantity), version = tonumber(version), added = tonumber(added) }
      if cart.lines[name].quantity > 0 then cart.live = cart.live + 1 end
    elseif kind == 'o:' then
      cart.orders[name] = tonumber(value)
    elseif field == 'secret' then
      cart.secret = value
    elseif field == 'merged' then
      cart.merged = value
    elseif field == 'version' then
      cart.version = tonumber(value)
    end
  end
  return cart
end

-- open loads the cart for whoever knows its secret, whose hash is given. Equal strings are one string in Lua, so that comparing
-- them takes the same time wherever they differ.
local function open(secret)
  local cart = load()
  if not cart then return nil, 'missing' end
  if cart.secret ~= secret then return nil, 'wrong' end
  if cart.merged then return nil, 'merged' end
  return cart
end

-- make begins a cart. A user's cart has the same id again after it has expired, and its versions must not come again, for orders know
-- them: they go on from the time.
local function make(secret, currency)
  redis.call('HSET', CART, 'secret', secret, 'currency', currency, 'version', secret == 'user' and NOW or '0')
  return load()
end

-- quantity_of gives how much of a SKU the cart holds.
local function quantity_of(cart, sku)
  local line = cart.lines[sku]
  return line and line.quantity or 0
end

-- put sets a line; quantity 0 leaves a tombstone. A line's place in the cart is the version that brought it there.
local function put(cart, sku, quantity)
  local before = quantity_of(cart, sku)
  if quantity == before then return end
  local line = cart.lines[sku] or { added = 0 }
  if before == 0 then
    line.added = cart.version + 1
    cart.live = cart.live + 1
  end
  if quantity == 0 then cart.live = cart.live - 1 end
  line.quantity, line.version = quantity, cart.version + 1
  cart.lines[sku], cart.changed[sku] = line, line
end

-- drop_oldest deletes the fields of the entries with the lowest versions beyond the newest ones that are kept.
local function drop_oldest(prefix, entries, kept)
  if #entries <= kept then return end
  table.sort(entries, function(a, b) return a.version < b.version end)
  for i = 1, #entries - kept do redis.call('HDEL', CART, prefix .. entries[i].name) end
end

local function drop_tombstones(cart)
  local tombstones = {}
  for sku, line in pairs(cart.lines) do
    if line.quantity == 0 then tombstones[#tombstones + 1] = { name = sku, version = line.version } end
  end
  drop_oldest('l:', tombstones, TOMBSTONES)
end

-- announce adds the whole cart, but for the orders it has seen, to the outbox.
local function announce(cart, flat)
  local entry = { 'event', EVENT, 'type', cart.live == 0 and 'CartCleared' or 'CartChanged', 'time', NOW, 'trace', TRACE, 'cart', ID }
  for i = 1, #flat, 2 do
    if flat[i]:sub(1, 2) ~= 'o:' then
      entry[#entry + 1] = flat[i]
      entry[#entry + 1] = flat[i + 1]
    end
  end
  redis.call('XADD', OUTBOX, '*', unpack(entry))
end

-- commit writes what put changed under one new version. A change that changes nothing has no version and no event.
local function commit(cart)
  if next(cart.changed) == nil then return { 'ok', redis.call('HGETALL', CART) } end
  cart.version = cart.version + 1
  local fields = { 'version', whole(cart.version) }
  for sku, line in pairs(cart.changed) do
    fields[#fields + 1] = 'l:' .. sku
    fields[#fields + 1] = whole(line.quantity) .. '|' .. whole(line.version) .. '|' .. whole(line.added)
  end
  redis.call('HSET', CART, unpack(fields))
  drop_tombstones(cart)
  redis.call('PEXPIRE', CART, TTL)
  redis.call('ZADD', IDLE, NOW, ID)
  local flat = redis.call('HGETALL', CART)
  announce(cart, flat)
  return { 'ok', flat }
end
