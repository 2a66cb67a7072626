import { Body, Controller, Delete, Param, Post, Put } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiConflictResponse,
  ApiHeader,
  ApiOperation,
  ApiParam,
  ApiProperty,
  ApiSchema,
} from '@nestjs/swagger';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';

export class Text {
  @ApiProperty({ description: 'Any text.' })
  text!: string;
}

@ApiSchema({ name: 'Counted' })
export class WordCount {
  @ApiProperty({ type: 'integer' })
  words!: number;
}

export const Count = defineJob<Text, WordCount>('Count');
export const CountEach = defineJob<Text, WordCount[]>('Count.each:1');
export const Shout = defineJob<Text, string>('Shout');
export const Forget = defineJob('Forget');

/** With decorators of swagger on either side of ours. */
@Controller('texts')
export class TextsController {
  @Post('count')
  @ApiOperation({ operationId: 'countWords', summary: 'Count the words' })
  @AsyncEndpoint(Count, { resultType: WordCount })
  count(@Body() text: Text): Text {
    return text;
  }

  @Post('count-each')
  @AsyncEndpoint(CountEach, { resultType: [WordCount] })
  @ApiOperation({ summary: 'Count the words of each line' })
  @ApiAcceptedResponse({ headers: { 'X-Lines': { description: 'How many.', schema: { type: 'integer' } } } })
  @ApiHeader({ name: 'Idempotency-Key', required: true, description: 'We insist.' })
  countEach(@Body() text: Text): Text {
    return text;
  }

  @Put('shout')
  @ApiOperation({ summary: 'Shout' })
  @ApiConflictResponse({ description: 'Or somebody else is shouting.' })
  @AsyncEndpoint(Shout, { resultType: String })
  shout(@Body() text: Text): Text {
    return text;
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Forget a text' })
  @ApiParam({ name: 'id', description: 'Which.' })
  @AsyncEndpoint(Forget)
  forget(@Param('id') _id: string): void {}
}
