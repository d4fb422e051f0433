import django.db.models.deletion
import django.db.models.expressions
import shop.models.catalog
import shop.models.fields
import shop.models.inventory
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0004_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='AutomaticDiscount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('basis_points', models.PositiveIntegerField()),
                ('currency', models.CharField(default=shop.models.catalog.shop_currency, editable=False, max_length=3)),
                ('minimum_subtotal', models.BigIntegerField(default=0, help_text='Minor units.')),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Cart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('active_key', models.BigIntegerField(editable=False, null=True, unique=True)),
                ('status', shop.models.fields.ExactCharField(choices=[('active', 'active'), ('ordered', 'ordered'), ('merged', 'merged into another')], default='active', max_length=8)),
                ('version', models.PositiveIntegerField(default=1)),
                ('currency', models.CharField(default=shop.models.catalog.shop_currency, editable=False, max_length=3)),
                ('email', models.EmailField(blank=True, default='', max_length=254)),
                ('shipping_address', models.JSONField(null=True)),
                ('billing_address', models.JSONField(null=True)),
                ('reminder', models.BooleanField(default=False)),
                ('reminded_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='CartLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('seen_price', models.BigIntegerField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='DemoCharge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('state', shop.models.fields.ExactCharField(max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
                ('captured', models.BigIntegerField(default=0)),
                ('refunds', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Fulfillment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('carrier', models.CharField(blank=True, default='', max_length=100)),
                ('tracking_number', models.CharField(blank=True, default='', max_length=100)),
                ('tracking_url', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='FulfillmentLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', shop.models.fields.ExactCharField(max_length=64)),
                ('operation', shop.models.fields.ExactCharField(max_length=64)),
                ('key', shop.models.fields.ExactCharField(max_length=255)),
                ('request_hash', shop.models.fields.ExactCharField(max_length=64)),
                ('reply', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', shop.models.fields.ExactCharField(max_length=20, unique=True)),
                ('digest', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('email', models.CharField(max_length=254)),
                ('email_key', shop.models.fields.ExactCharField(max_length=254)),
                ('status', shop.models.fields.ExactCharField(choices=[('pending', 'waits for its payment'), ('confirmed', 'confirmed'), ('completed', 'completed'), ('cancelled', 'cancelled'), ('expired', 'expired unpaid')], default='pending', max_length=10)),
                ('fulfillment_status', shop.models.fields.ExactCharField(choices=[('none', 'nothing shipped'), ('partial', 'partly shipped'), ('full', 'shipped'), ('returned', 'returned')], default='none', max_length=10)),
                ('payment_status', shop.models.fields.ExactCharField(choices=[('pending', 'not paid yet'), ('authorized', 'promised'), ('paid', 'paid'), ('partially_refunded', 'partly refunded'), ('refunded', 'refunded'), ('voided', 'given up'), ('failed', 'failed')], default='pending', max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('tax_included', models.BooleanField()),
                ('subtotal', models.BigIntegerField()),
                ('discount', models.BigIntegerField()),
                ('shipping', models.BigIntegerField()),
                ('tax', models.BigIntegerField()),
                ('total', models.BigIntegerField()),
                ('shipping_address', models.JSONField()),
                ('billing_address', models.JSONField(null=True)),
                ('shipping_name', models.CharField(blank=True, default='', max_length=200)),
                ('discounts', models.JSONField(default=list)),
                ('note', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='OrderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', shop.models.fields.ExactCharField(choices=[('placed', 'placed'), ('confirmed', 'confirmed'), ('payment_authorized', 'payment promised'), ('payment_captured', 'paid'), ('payment_failed', 'payment failed'), ('payment_voided', 'payment given up'), ('fulfilled', 'shipped'), ('completed', 'completed'), ('cancelled', 'cancelled'), ('expired', 'expired'), ('refunded', 'refunded'), ('refund_failed', 'refund failed'), ('returned', 'returned'), ('note', 'note of staff')], max_length=20)),
                ('data', models.JSONField(default=dict)),
                ('text', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='OrderLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('sku', models.CharField(blank=True, default='', max_length=120)),
                ('name', models.CharField(max_length=400)),
                ('variant_name', models.CharField(blank=True, default='', max_length=400)),
                ('quantity', models.PositiveIntegerField()),
                ('unit_price', models.BigIntegerField()),
                ('subtotal', models.BigIntegerField()),
                ('discount', models.BigIntegerField()),
                ('tax_rate', models.PositiveIntegerField()),
                ('tax', models.BigIntegerField()),
                ('total', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('fulfilled', models.PositiveIntegerField(default=0)),
                ('returned', models.PositiveIntegerField(default=0)),
                ('refunded', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', shop.models.fields.ExactCharField(max_length=16)),
                ('key', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('reference', shop.models.fields.ExactCharField(max_length=255, null=True)),
                ('method', models.CharField(blank=True, default='', max_length=255)),
                ('state', shop.models.fields.ExactCharField(choices=[('created', 'not answered by the provider yet'), ('requires_action', 'waits for the customer'), ('authorized', 'promised'), ('captured', 'paid'), ('partially_refunded', 'partly refunded'), ('refunded', 'refunded'), ('failed', 'failed'), ('voided', 'given up')], default='created', max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
                ('authorized', models.BigIntegerField(default=0)),
                ('captured', models.BigIntegerField(default=0)),
                ('refunded', models.BigIntegerField(default=0)),
                ('client_data', models.JSONField(default=dict)),
                ('failure', shop.models.fields.ExactCharField(blank=True, default='', max_length=32)),
                ('settle_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='PaymentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', shop.models.fields.ExactCharField(max_length=16)),
                ('event_id', shop.models.fields.ExactCharField(max_length=255)),
                ('kind', shop.models.fields.ExactCharField(max_length=100)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_key', shop.models.fields.ExactCharField(max_length=254)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('reference', shop.models.fields.ExactCharField(blank=True, default='', max_length=255)),
                ('state', shop.models.fields.ExactCharField(choices=[('pending', 'not answered by the provider yet'), ('succeeded', 'paid back'), ('failed', 'failed')], default='pending', max_length=10)),
                ('currency', models.CharField(max_length=3)),
                ('amount', models.BigIntegerField()),
                ('lines', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('settle_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', shop.models.fields.ExactCharField(max_length=64)),
                ('quantity', models.PositiveIntegerField()),
                ('shipped', models.PositiveIntegerField(default=0)),
                ('released', models.PositiveIntegerField(default=0)),
                ('state', shop.models.fields.ExactCharField(choices=[('held', 'held until it expires'), ('committed', 'promised to a confirmed order'), ('shipped', 'shipped, or what was not was released'), ('released', 'released')], default='held', max_length=10)),
                ('expires_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Return',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='ReturnLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.PositiveIntegerField()),
                ('restocked', models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rating', models.PositiveSmallIntegerField()),
                ('title', models.CharField(blank=True, default='', max_length=400)),
                ('body', models.TextField(blank=True, default='')),
                ('author', models.CharField(blank=True, default='', max_length=100)),
                ('status', shop.models.fields.ExactCharField(choices=[('pending', 'waits for staff'), ('approved', 'shown'), ('rejected', 'not shown')], default='pending', max_length=10)),
                ('is_verified', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='ShippingRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('description', models.CharField(blank=True, default='', max_length=500)),
                ('currency', models.CharField(default=shop.models.catalog.shop_currency, editable=False, max_length=3)),
                ('price', models.BigIntegerField(help_text='Minor units.')),
                ('min_weight', models.PositiveIntegerField(default=0, help_text='Grams.')),
                ('max_weight', models.PositiveIntegerField(blank=True, help_text='Grams.', null=True)),
                ('min_total', models.BigIntegerField(default=0, help_text='Minor units.')),
                ('max_total', models.BigIntegerField(blank=True, help_text='Minor units.', null=True)),
                ('position', models.IntegerField(default=0)),
                ('is_active', models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name='ShippingZone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('countries', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='StockMovement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('delta', models.IntegerField()),
                ('on_hand', models.IntegerField()),
                ('reason', shop.models.fields.ExactCharField(choices=[('opening', 'first count'), ('adjusted', 'adjusted by staff'), ('counted', 'counted by staff'), ('imported', 'import'), ('received', 'received from a supplier'), ('damaged', 'damaged or lost'), ('shipped', 'shipped to a customer'), ('returned', 'returned by a customer')], max_length=10)),
                ('reference', shop.models.fields.ExactCharField(blank=True, default='', max_length=64)),
                ('note', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', shop.models.fields.ExactCharField(max_length=2)),
                ('region', shop.models.fields.ExactCharField(blank=True, default='', max_length=100)),
                ('category', shop.models.fields.ExactCharField(blank=True, default='', max_length=32)),
                ('basis_points', models.PositiveIntegerField()),
                ('name', models.CharField(blank=True, default='', max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name='Voucher',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', shop.models.fields.ExactCharField(max_length=64, unique=True)),
                ('kind', shop.models.fields.ExactCharField(choices=[('percent', 'a percentage of the goods'), ('fixed', 'an amount off the goods'), ('free_shipping', 'the shipping')], max_length=14)),
                ('value', models.BigIntegerField(default=0)),
                ('currency', models.CharField(default=shop.models.catalog.shop_currency, editable=False, max_length=3)),
                ('minimum_subtotal', models.BigIntegerField(default=0, help_text='Minor units.')),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('usage_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('customer_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('used', models.PositiveIntegerField(default=0, editable=False)),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='WishlistItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name='product',
            name='rating',
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='rating_count',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='rating_sum',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='product',
            name='tax_category',
            field=shop.models.fields.ExactCharField(blank=True, default='', max_length=32),
        ),
        migrations.AddField(
            model_name='stock',
            name='low_at',
            field=models.IntegerField(default=5),
        ),
        migrations.AddField(
            model_name='stock',
            name='available',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(models.F('on_hand'), '-', models.F('reserved')), output_field=models.IntegerField()),
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=shop.models.fields.ExactCharField(choices=[('import_products', 'import products'), ('export_products', 'export products'), ('export_account', 'export account'), ('export_orders', 'export orders')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(fields=['rating', 'id'], name='product_by_rating'),
        ),
        migrations.AddIndex(
            model_name='automaticdiscount',
            index=models.Index(fields=['created_at', 'id'], name='discount_by_age'),
        ),
        migrations.AddConstraint(
            model_name='automaticdiscount',
            constraint=models.CheckConstraint(condition=models.Q(('basis_points__lte', 10000), ('minimum_subtotal__gte', 0)), name='discount_in_range'),
        ),
        migrations.AddField(
            model_name='cart',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='carts', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='cartline',
            name='cart',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shop.cart'),
        ),
        migrations.AddField(
            model_name='cartline',
            name='variant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='shop.variant'),
        ),
        migrations.AddField(
            model_name='fulfillmentline',
            name='fulfillment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shop.fulfillment'),
        ),
        migrations.AddIndex(
            model_name='idempotencykey',
            index=models.Index(fields=['expires_at'], name='idempotency_by_expiry'),
        ),
        migrations.AddConstraint(
            model_name='idempotencykey',
            constraint=models.UniqueConstraint(fields=('actor', 'operation', 'key'), name='idempotency_key_once'),
        ),
        migrations.AddField(
            model_name='order',
            name='cart',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='order', to='shop.cart'),
        ),
        migrations.AddField(
            model_name='order',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='fulfillment',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fulfillments', to='shop.order'),
        ),
        migrations.AddField(
            model_name='orderevent',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='orderevent',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='shop.order'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shop.order'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='variant',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='shop.variant'),
        ),
        migrations.AddField(
            model_name='fulfillmentline',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='fulfillment_lines', to='shop.orderline'),
        ),
        migrations.AddField(
            model_name='payment',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='shop.order'),
        ),
        migrations.AddField(
            model_name='paymentevent',
            name='payment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='shop.payment'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='redemptions', to='shop.order'),
        ),
        migrations.AddField(
            model_name='refund',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refund',
            name='payment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='shop.payment'),
        ),
        migrations.AddField(
            model_name='reservation',
            name='stock',
            field=models.ForeignKey(on_delete=shop.models.inventory.protect_open, related_name='reservations', to='shop.stock'),
        ),
        migrations.AddField(
            model_name='return',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='returns', to='shop.order'),
        ),
        migrations.AddField(
            model_name='returnline',
            name='line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='return_lines', to='shop.orderline'),
        ),
        migrations.AddField(
            model_name='returnline',
            name='parcel',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='shop.return'),
        ),
        migrations.AddField(
            model_name='review',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='shop.product'),
        ),
        migrations.AddField(
            model_name='review',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='cart',
            name='shipping_rate',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='shop.shippingrate'),
        ),
        migrations.AddIndex(
            model_name='shippingzone',
            index=models.Index(fields=['created_at', 'id'], name='zone_by_age'),
        ),
        migrations.AddField(
            model_name='shippingrate',
            name='zone',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rates', to='shop.shippingzone'),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='stock',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='movements', to='shop.stock'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.UniqueConstraint(fields=('country', 'region', 'category'), name='tax_rate_once'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('basis_points__lte', 10000)), name='tax_rate_at_most_whole'),
        ),
        migrations.AddIndex(
            model_name='voucher',
            index=models.Index(fields=['created_at', 'id'], name='voucher_by_age'),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.CheckConstraint(condition=models.Q(('usage_limit__isnull', True), ('used__lte', models.F('usage_limit')), _connector='OR'), name='voucher_not_overused'),
        ),
        migrations.AddConstraint(
            model_name='voucher',
            constraint=models.CheckConstraint(condition=models.Q(('minimum_subtotal__gte', 0), ('value__gte', 0), models.Q(models.Q(('kind', 'percent'), _negated=True), ('value__lte', 10000), _connector='OR')), name='voucher_value_in_range'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='voucher',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='redemptions', to='shop.voucher'),
        ),
        migrations.AddField(
            model_name='cart',
            name='voucher',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='shop.voucher'),
        ),
        migrations.AddField(
            model_name='wishlistitem',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='wishlist', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='wishlistitem',
            name='variant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='shop.variant'),
        ),
        migrations.AddField(
            model_name='stock',
            name='above_low',
            field=models.GeneratedField(db_persist=True, expression=django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('on_hand'), '-', models.F('reserved')), '-', models.F('low_at')), output_field=models.IntegerField()),
        ),
        migrations.AddIndex(
            model_name='cartline',
            index=models.Index(fields=['cart', 'id'], name='cart_in_order'),
        ),
        migrations.AddConstraint(
            model_name='cartline',
            constraint=models.UniqueConstraint(fields=('cart', 'variant'), name='cart_variant_once'),
        ),
        migrations.AddConstraint(
            model_name='cartline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='cart_line_of_something'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['created_at', 'id'], name='order_by_age'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['total', 'id'], name='order_by_total'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['user', 'created_at', 'id'], name='order_by_user'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', 'created_at', 'id'], name='order_by_status'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', 'expires_at'], name='order_by_expiry'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['email_key', 'created_at', 'id'], name='order_by_email'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('tax_included', True), ('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('subtotal'), '-', models.F('discount')), '+', models.F('shipping')))), models.Q(('tax_included', False), ('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('subtotal'), '-', models.F('discount')), '+', models.F('shipping')), '+', models.F('tax')))), _connector='OR'), name='order_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('shipping__gte', 0), ('subtotal__gte', 0), ('tax__gte', 0), ('total__gte', 0)), name='order_not_negative'),
        ),
        migrations.AddIndex(
            model_name='fulfillment',
            index=models.Index(fields=['order', 'created_at', 'id'], name='fulfillment_by_time'),
        ),
        migrations.AddIndex(
            model_name='orderevent',
            index=models.Index(fields=['order', 'created_at', 'id'], name='order_event_by_time'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.UniqueConstraint(fields=('order', 'position'), name='order_position_once'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='order_line_of_something'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('fulfilled__lte', models.F('quantity')), ('returned__lte', models.F('fulfilled'))), name='order_line_in_order'),
        ),
        migrations.AddConstraint(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('refunded__lte', models.F('quantity'))), name='order_line_refunded_once'),
        ),
        migrations.AddConstraint(
            model_name='fulfillmentline',
            constraint=models.UniqueConstraint(fields=('fulfillment', 'line'), name='fulfillment_line_once'),
        ),
        migrations.AddConstraint(
            model_name='fulfillmentline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='fulfillment_line_of_something'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['settle_at'], name='payment_to_settle'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['order', 'created_at', 'id'], name='payment_by_time'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.UniqueConstraint(fields=('provider', 'reference'), name='payment_reference_once'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('authorized__lte', models.F('amount')), ('captured__lte', models.F('authorized')), ('refunded__gte', 0), ('refunded__lte', models.F('captured'))), name='payment_in_order'),
        ),
        migrations.AddIndex(
            model_name='paymentevent',
            index=models.Index(fields=['created_at'], name='payment_event_by_age'),
        ),
        migrations.AddConstraint(
            model_name='paymentevent',
            constraint=models.UniqueConstraint(fields=('provider', 'event_id'), name='payment_event_once'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['settle_at'], name='refund_to_settle'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(fields=['payment', 'created_at', 'id'], name='refund_by_time'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='refund_of_something'),
        ),
        migrations.AddIndex(
            model_name='reservation',
            index=models.Index(fields=['state', 'expires_at'], name='reservation_by_expiry'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.UniqueConstraint(fields=('reference', 'stock'), name='reservation_once'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='reservation_of_something'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', django.db.models.expressions.CombinedExpression(models.F('shipped'), '+', models.F('released')))), name='reservation_not_exceeded'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['order', 'created_at', 'id'], name='return_by_time'),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.UniqueConstraint(fields=('parcel', 'line'), name='return_line_once'),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='return_line_of_something'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['product', 'status', 'created_at', 'id'], name='review_of_product'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['product', 'rating', 'id'], name='review_by_rating'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['status', 'created_at', 'id'], name='review_by_status'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['created_at', 'id'], name='review_by_age'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(fields=('user', 'product'), name='review_once'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('rating__gte', 1), ('rating__lte', 5)), name='review_rating_in_range'),
        ),
        migrations.AddIndex(
            model_name='shippingrate',
            index=models.Index(fields=['zone', 'position', 'id'], name='rate_by_position'),
        ),
        migrations.AddConstraint(
            model_name='shippingrate',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0), ('price__lte', 1000000000000000)), name='rate_price_in_range'),
        ),
        migrations.AddConstraint(
            model_name='shippingrate',
            constraint=models.CheckConstraint(condition=models.Q(('min_total__gte', 0), models.Q(('max_total__isnull', True), ('max_total__gte', models.F('min_total')), _connector='OR'), models.Q(('max_weight__isnull', True), ('max_weight__gte', models.F('min_weight')), _connector='OR')), name='rate_bounds_in_order'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['stock', 'created_at', 'id'], name='movement_by_time'),
        ),
        migrations.AddIndex(
            model_name='stockmovement',
            index=models.Index(fields=['created_at', 'id'], name='movement_by_age'),
        ),
        migrations.AddIndex(
            model_name='redemption',
            index=models.Index(fields=['voucher', 'customer_key'], name='redemption_by_customer'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.UniqueConstraint(fields=('voucher', 'order'), name='voucher_once_an_order'),
        ),
        migrations.AddIndex(
            model_name='cart',
            index=models.Index(fields=['status', 'updated_at', 'id'], name='cart_by_use'),
        ),
        migrations.AddIndex(
            model_name='cart',
            index=models.Index(fields=['updated_at', 'id'], name='cart_by_change'),
        ),
        migrations.AddIndex(
            model_name='cart',
            index=models.Index(fields=['user', 'updated_at', 'id'], name='cart_by_user'),
        ),
        migrations.AddIndex(
            model_name='wishlistitem',
            index=models.Index(fields=['user', 'created_at', 'id'], name='wishlist_by_age'),
        ),
        migrations.AddConstraint(
            model_name='wishlistitem',
            constraint=models.UniqueConstraint(fields=('user', 'variant'), name='wishlist_once'),
        ),
        migrations.AddIndex(
            model_name='stock',
            index=models.Index(fields=['available', 'id'], name='stock_by_available'),
        ),
        migrations.AddIndex(
            model_name='stock',
            index=models.Index(fields=['above_low', 'id'], name='stock_low'),
        ),
        migrations.AddConstraint(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('low_at__gte', 0)), name='stock_low_at_not_negative'),
        ),
    ]
