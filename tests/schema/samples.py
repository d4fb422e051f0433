"""One valid input for every mutation that needs a permission."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from schema.root import schema

FIELDS = schema.graphql_schema.mutation_type.fields
OPEN = {"tokenAuth", "verifyToken", "refreshToken", "revokeToken"}
GUARDED = sorted(FIELDS.keys() - OPEN)

# One valid input for each mutation, given the shop that it is sent to.
SAMPLES: dict[str, Callable[[SimpleNamespace], dict[str, Any]]] = {
    "attributeCreate": lambda shop: {"name": "Colour", "values": ["Red"]},
    "attributeDelete": lambda shop: {"id": shop.attribute},
    "attributeUpdate": lambda shop: {"id": shop.attribute, "addValues": ["Wool"]},
    "attributeValueDelete": lambda shop: {"id": shop.value},
    "attributeValueUpdate": lambda shop: {"id": shop.value, "name": "Earthenware"},
    "brandCreate": lambda shop: {"name": "Another"},
    "brandDelete": lambda shop: {"id": shop.brand},
    "brandUpdate": lambda shop: {"id": shop.brand, "name": "Renamed"},
    "categoryCreate": lambda shop: {"name": "Another"},
    "categoryDelete": lambda shop: {"id": shop.category},
    "categoryUpdate": lambda shop: {"id": shop.category, "name": "Renamed"},
    "collectionCreate": lambda shop: {"name": "Another", "products": [shop.product]},
    "collectionDelete": lambda shop: {"id": shop.collection},
    "collectionUpdate": lambda shop: {"id": shop.collection, "products": [shop.product]},
    "exportProducts": lambda shop: {},
    "importProducts": lambda shop: {
        "file": SimpleUploadedFile("catalog.csv", b"Handle,Title\nladle,Ladle\n")
    },
    "jobCancel": lambda shop: {"id": shop.job},
    "mediaCreate": lambda shop: {"product": shop.product, "url": "https://example.org/2.jpg"},
    "mediaDelete": lambda shop: {"id": shop.media},
    "mediaUpdate": lambda shop: {"id": shop.media, "alt": "From behind"},
    "productCreate": lambda shop: {"name": "Another", "variants": [{"sku": "A-1"}]},
    "productDelete": lambda shop: {"id": shop.product},
    "productUpdate": lambda shop: {"id": shop.product, "name": "Renamed"},
    "variantCreate": lambda shop: {
        "product": shop.product,
        "options": [{"name": "Size", "value": "L"}],
    },
    "variantDelete": lambda shop: {"id": shop.variant},
    "variantUpdate": lambda shop: {"id": shop.variant, "sku": "OTHER-1"},
    "webhookDeliveryReplay": lambda shop: {"id": shop.delivery},
    "webhookEndpointCreate": lambda shop: {"url": "https://2.example.org/", "topics": ["ALL"]},
    "webhookEndpointDelete": lambda shop: {"id": shop.endpoint},
    "webhookEndpointRotateSecret": lambda shop: {"id": shop.endpoint},
    "webhookEndpointTest": lambda shop: {"id": shop.endpoint},
    "webhookEndpointUpdate": lambda shop: {"id": shop.endpoint, "description": "For tea"},
}


def permission_of(mutation: str) -> str | None:
    return FIELDS[mutation].resolve.__self__.permission
