# Meridian on this machine: one shop, and every region that was asked for since the last destroy.

provider "meridian" {
  home   = abspath(coalesce(var.home, "${path.module}/../../.meridian"))
  binary = abspath("${path.module}/../../bin/meridian")
}

# The launcher, the SQL server and the edge. It remembers which regions have joined, so that an apply for another
# region adds that one and takes none away.
resource "meridian_shop" "here" {
  base_port = var.base_port
  join      = var.region
  leave     = var.leave
}

resource "meridian_region" "here" {
  for_each = meridian_shop.here.regions
  name     = each.key
}
