variable "region" {
  description = "The region that is to run: it joins those that were applied before. Null changes nothing about which run."
  type        = string
  default     = null

  validation {
    condition     = var.region == null || can(file("${path.module}/../../regions/${var.region}.yaml"))
    error_message = "There is no region file of that name. Regions: ${join(", ", [for file in fileset("${path.module}/../../regions", "*.yaml") : trimsuffix(file, ".yaml")])}."
  }
}

variable "leave" {
  description = "Regions that are to stop; the others stay. Their data stays too."
  type        = list(string)
  default     = []
}

variable "home" {
  description = "Folder of the copy's state, data and logs. Null is .meridian beside bin, which the meridian command uses too."
  type        = string
  default     = null
}

variable "base_port" {
  description = "The edge's port; everything else listens above it."
  type        = number
  default     = 8080

  validation {
    condition     = var.base_port >= 1024 && var.base_port <= 32000
    error_message = "The base port lies between 1024 and 32000."
  }
}
