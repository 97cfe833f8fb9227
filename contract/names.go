package contract

// The services, as Consul and the gateway's route table know them.
const (
	ServiceGateway   = "gateway"
	ServiceCatalog   = "catalog"
	ServiceCart      = "cart"
	ServiceInventory = "inventory"
	ServicePayment   = "payment"
	ServiceOrder     = "order"
	ServiceIdentity  = "identity"
	ServiceImports   = "imports"
	// ServiceMirror copies the other regions' events into its own region's broker.
	ServiceMirror = "mirror"
	ServiceSearch = "search"
	// ServicePurge tells the edge which of its copies no longer hold, once its own region's caches know.
	ServicePurge = "purge"
)

// ServiceNames lists the services.
func ServiceNames() []string {
	return []string{
		ServiceGateway, ServiceCatalog, ServiceCart, ServiceInventory, ServicePayment, ServiceOrder, ServiceIdentity, ServiceImports,
		ServiceMirror, ServiceSearch, ServicePurge,
	}
}

// Headers that the public API and the services use.
const (
	HeaderCartID         = "X-Cart-Id"
	HeaderRegion         = "X-Region"
	HeaderIdempotencyKey = "Idempotency-Key"
	// HeaderInternal carries the running copy's internal secret between services; the gateway never forwards a caller's.
	HeaderInternal = "X-Meridian-Internal"
	// HeaderEdgeAuth proves that a request came through the edge, whose word on where the shopper is is then believed.
	HeaderEdgeAuth = "X-Edge-Auth"
	// HeaderForwardedBy names the region whose gateway forwards a request to the home of its cart or order. It is believed beside
	// HeaderInternal only, and such a request goes no further than where it came.
	HeaderForwardedBy = "X-Meridian-Forwarded-By"
	// CookieCart holds the same value as HeaderCartID, for browsers.
	CookieCart = "cart"
)

// Topics of events, one for each kind of aggregate.
const (
	TopicProducts  = "product-events"
	TopicOrders    = "order-events"
	TopicPayments  = "payment-events"
	TopicInventory = "inventory-events"
	TopicCarts     = "cart-events"
)

// Topics lists every topic with its number of partitions and whether only the newest event of a key is kept for ever.
func Topics() []Topic {
	return []Topic{
		{Name: TopicProducts, Partitions: 4}, {Name: TopicOrders, Partitions: 4}, {Name: TopicPayments, Partitions: 4},
		{Name: TopicInventory, Partitions: 4}, {Name: TopicCarts, Partitions: 4, Compacted: true},
	}
}

// Topic describes one topic of a region's broker.
type Topic struct {
	Name       string
	Partitions int32
	Compacted  bool
}

// Roles that a bearer token may carry.
const (
	RoleShopper      = "shopper"
	RoleSupport      = "support"
	RoleMerchandiser = "merchandiser"
	RoleAdmin        = "admin"
)

// Roles lists the roles from least to most able.
func Roles() []string { return []string{RoleShopper, RoleSupport, RoleMerchandiser, RoleAdmin} }
