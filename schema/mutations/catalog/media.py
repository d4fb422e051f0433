"""Pictures of products."""

from typing import Any

import graphene

from schema.base import DeleteMutation, Mutation
from schema.engine.connections import ObjectField
from schema.engine.uploads import Upload
from schema.inputs import load
from schema.types.catalog.products import Media, Product
from shop.actions.catalog import media
from shop.errors import Invalid


class MediaCreate(Mutation):
    """Adds a picture to a product: an uploaded `file`, or the `url` of one that lies elsewhere."""

    permission = "shop.add_media"

    class Input:
        product = graphene.ID(required=True, description="Global id of the product.")
        file = Upload(
            description="JPEG, PNG, WebP or GIF, by GraphQL multipart request; its content counts, "
            "not its name."
        )
        url = graphene.String(
            description="Absolute http(s) address of a picture on a public host, without user name "
            "and password, else URL_NOT_ALLOWED; stored, never fetched."
        )
        alt = graphene.String(description="Alternative text.")

    media = ObjectField(Media, description="The new picture, the last of the product's.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, product: str, **values: Any) -> Any:
        owner = load(info, Product, product, "product")
        file: Any = values.get("file")
        url, alt = values.get("url"), values.get("alt") or ""
        if (file is None) == (url is None):
            raise Invalid("Give either `file` or `url`.", field=["file"])
        if url is not None:
            return cls(media=media.add_url(owner, url, alt=alt))
        return cls(media=media.add_upload(owner, file, alt=alt))


class MediaUpdate(Mutation):
    """Changes a picture's text or place. Fields that are left out stay as they are."""

    permission = "shop.change_media"

    class Input:
        id = graphene.ID(required=True, description="Global id of the picture.")
        alt = graphene.String(description="Alternative text.")
        position = graphene.Int(description="Place among the product's pictures, from 1.")

    media = ObjectField(Media, description="The picture as it is now.")

    @classmethod
    def perform(cls, info: graphene.ResolveInfo, id: str, **values: Any) -> Any:  # noqa: A002
        return cls(media=media.update(load(info, Media, id), **values))


class MediaDelete(DeleteMutation):
    """Deletes a picture with its files."""

    permission = "shop.delete_media"
    node_type = Media
    remove = staticmethod(media.delete)


class MediaMutation(graphene.ObjectType):
    """Pictures."""

    media_create = MediaCreate.Field()
    media_update = MediaUpdate.Field()
    media_delete = MediaDelete.Field()
