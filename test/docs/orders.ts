import { Body, Controller, Injectable, Post } from '@nestjs/common';
import { AsyncEndpoint, defineJob, JobManager, type Submit, SubmitJob } from 'nestjs-async-endpoints';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';

export const FulfilOrder = defineJob<{ orderId: number }>('FulfilOrder');

@Entity()
export class Order {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column('text')
  item!: string;
}

@Injectable()
export class Orders {
  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: JobManager,
  ) {}

  place(item: string): Promise<Order> {
    return this.dataSource.transaction(async (tx) => {
      const order = await tx.save(Order, { item });
      await this.jobs.submit(FulfilOrder, { orderId: order.id }, { within: tx }); // queued if, and only if, this commits
      return order;
    });
  }
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  @AsyncEndpoint(FulfilOrder)
  create(@Body() dto: { item: string }, @SubmitJob() submit: Submit<typeof FulfilOrder>) {
    return this.dataSource.transaction(async (tx) => {
      const order = await tx.save(Order, { item: dto.item });
      return submit({ orderId: order.id }, { within: tx });
    });
  }
}
