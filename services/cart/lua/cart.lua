-- What every change of a cart has in common; each change's own script follows it.
-- KEYS: the cart, the outbox and the idle set of its slot, what its shopper was shown.
-- ARGV: 1 cart id, 2 now (ms), 3 time to live (ms), 4 tombstones kept, 5 event id, 6 traceparent; then the script's own.
-- Answers: {outcome, the cart's fields, what its shopper was shown}.
local CART, OUTBOX, IDLE, SEEN = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local ID, NOW, TTL, TOMBSTONES, EVENT, TRACE = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]

local function whole(n) return string.format('%d', n) end

-- load gives the cart, nil when there is none.
local function load()
  local flat = redis.call('HGETALL', CART)
  if #flat == 0 then return nil end
  local cart = { lines = {}, codes = {}, orders = {}, live = 0, entered = 0, site = '', changed = {}, changed_codes = {} }
  for i = 1, #flat, 2 do
    local field, value = flat[i], flat[i + 1]
    local kind, name = field:sub(1, 2), field:sub(3)
    if kind == 'l:' then
      local quantity, version, region, added = value:match('^(%d+)|(%d+)(%l*)|(%d+)$')
      cart.lines[name] = { quantity = tonumber(quantity), version = tonumber(version), region = region, added = tonumber(added) }
      if cart.lines[name].quantity > 0 then cart.live = cart.live + 1 end
    elseif kind == 'p:' then
      local entered, version, region, added, title = value:match('^(%d)|(%d+)(%l*)|(%d+)|(.*)$')
      cart.codes[name] = { entered = entered == '1', version = tonumber(version), region = region, added = tonumber(added), title = title }
      if cart.codes[name].entered then cart.entered = cart.entered + 1 end
    elseif kind == 'o:' then
      cart.orders[name] = tonumber(value)
    elseif field == 'secret' then
      cart.secret = value
    elseif field == 'site' then
      cart.site = value
    elseif field == 'merged' then
      cart.merged = value
    elseif field == 'abandoned' then
      cart.abandoned = tonumber(value)
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
  redis.call('DEL', SEEN)
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
  line.quantity, line.version, line.region = quantity, cart.version + 1, cart.site
  cart.lines[sku], cart.changed[sku] = line, line
end

-- enter puts a promotion code in the cart, behind those that are there.
local function enter(cart, code, title)
  local before = cart.codes[code]
  if before and before.entered then return end
  local entered = { entered = true, title = title, version = cart.version + 1, region = cart.site, added = cart.version + 1 }
  cart.codes[code], cart.changed_codes[code], cart.entered = entered, entered, cart.entered + 1
end

-- leave takes a promotion code out and leaves a tombstone.
local function leave(cart, code)
  local entered = cart.codes[code]
  if not entered or not entered.entered then return end
  entered.entered, entered.title, entered.version, entered.region = false, '', cart.version + 1, cart.site
  cart.changed_codes[code], cart.entered = entered, cart.entered - 1
end

-- drop_oldest deletes the fields of the entries with the lowest versions beyond the newest ones that are kept.
local function drop_oldest(prefix, entries, kept)
  if #entries <= kept then return end
  table.sort(entries, function(a, b) return a.version < b.version end)
  for i = 1, #entries - kept do redis.call('HDEL', CART, prefix .. entries[i].name) end
end

local function drop_tombstones(cart)
  local lines, codes = {}, {}
  for sku, line in pairs(cart.lines) do
    if line.quantity == 0 then lines[#lines + 1] = { name = sku, version = line.version } end
  end
  for code, entry in pairs(cart.codes) do
    if not entry.entered then codes[#codes + 1] = { name = code, version = entry.version } end
  end
  drop_oldest('l:', lines, TOMBSTONES)
  drop_oldest('p:', codes, TOMBSTONES)
end

-- announce adds the whole cart to the outbox.
local function announce(kind, flat)
  local entry = { 'event', EVENT, 'type', kind, 'time', NOW, 'trace', TRACE, 'cart', ID }
  for i = 1, #flat, 2 do
    entry[#entry + 1] = flat[i]
    entry[#entry + 1] = flat[i + 1]
  end
  redis.call('XADD', OUTBOX, '*', unpack(entry))
end

-- commit writes what put, enter and leave changed under one new version. A change that changes nothing has no version and no event.
local function commit(cart)
  if next(cart.changed) == nil and next(cart.changed_codes) == nil then
    return { 'ok', redis.call('HGETALL', CART), redis.call('HGETALL', SEEN) }
  end
  cart.version = cart.version + 1
  local fields, gone = { 'version', whole(cart.version) }, {}
  for sku, line in pairs(cart.changed) do
    fields[#fields + 1] = 'l:' .. sku
    fields[#fields + 1] = whole(line.quantity) .. '|' .. whole(line.version) .. line.region .. '|' .. whole(line.added)
    if line.quantity == 0 then gone[#gone + 1] = sku end
  end
  for code, entry in pairs(cart.changed_codes) do
    fields[#fields + 1] = 'p:' .. code
    fields[#fields + 1] = (entry.entered and '1|' or '0|') .. whole(entry.version) .. entry.region .. '|' .. whole(entry.added) .. '|' .. entry.title
  end
  redis.call('HSET', CART, unpack(fields))
  if #gone > 0 then redis.call('HDEL', SEEN, unpack(gone)) end
  drop_tombstones(cart)
  redis.call('PEXPIRE', CART, TTL)
  redis.call('PEXPIRE', SEEN, TTL)
  redis.call('ZADD', IDLE, NOW, ID)
  local flat = redis.call('HGETALL', CART)
  announce(cart.live == 0 and 'CartCleared' or 'CartChanged', flat)
  return { 'ok', flat, redis.call('HGETALL', SEEN) }
end
