output "edge_url" {
  description = "Where shoppers connect."
  value       = meridian_shop.here.edge_url
}

output "gateways" {
  description = "Each region's own gateway, behind the edge."
  value       = { for name, region in meridian_region.here : name => region.gateway_url }
}
